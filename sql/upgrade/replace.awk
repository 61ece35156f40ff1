# replace.awk -- from SQL parts, what can be written over its former self
# Functions, procedures, aggregates, views and triggers as CREATE OR REPLACE, and all comments.
# Tables, types, casts and whatever has changed its shape stand in the upgrade scripts.
# A statement ends with a line that ends with ";" outside of quotes, $tag$ and BEGIN ATOMIC.

function flush_statement()
{
	if (statement ~ /^CREATE (FUNCTION|PROCEDURE|AGGREGATE|VIEW|TRIGGER) /)
		sub(/^CREATE /, "CREATE OR REPLACE ", statement)
	else if (statement !~ /^COMMENT ON /)
		statement = ""
	printf "%s", statement
	statement = ""
	quotes = atomic = 0
}

# What of a line stands outside of dollar quotes; tag is the one that is open at its end
function outside(line, kept, at)
{
	kept = ""
	while (line != "")
	{
		if (tag != "")
		{
			at = index(line, tag)
			if (at == 0)
				return kept
			line = substr(line, at + length(tag))
			tag = ""
		}
		if (!match(line, /\$[a-z_]*\$/))
			return kept line
		kept = kept substr(line, 1, RSTART - 1)
		tag = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
	}
	return kept
}

statement == "" && (/^--/ || /^\\/ || /^[ \t]*$/) { next }

{
	statement = statement $0 "\n"
	line = outside($0)
	sub(/[ \t]--[^']*$/, "", line)
	quotes += gsub(/'/, "", line)
	if ($0 == "BEGIN ATOMIC" && tag == "")
		atomic = 1
	if (tag == "" && quotes % 2 == 0 && (atomic ? $0 == "END;" : /;$/))
		flush_statement()
}
