# replace.awk -- from SQL parts, what can be written over its former self
# Functions, procedures, aggregates, views and triggers as CREATE OR REPLACE, and all comments.
# Tables, types, casts and whatever has changed its shape stand in the upgrade scripts.
# With -v tables=1 the other half: CREATE TABLE, TYPE and INDEX, and ALTER TABLE as they stand.
# A statement ends with a line that ends with ";" outside of quotes, $tag$ and BEGIN ATOMIC.

# By lines: create_schema() is one statement of ten thousand, and would be copied for each of them
function flush_statement(i, wanted)
{
	if (tables)
		wanted = statement[1] ~ /^(CREATE (TYPE|TABLE|(UNIQUE )?INDEX)|ALTER TABLE) /
	else
	{
		wanted = statement[1] ~ /^(CREATE (FUNCTION|PROCEDURE|AGGREGATE|VIEW|TRIGGER)|COMMENT ON) /
		sub(/^CREATE /, "CREATE OR REPLACE ", statement[1])
	}
	if (wanted)
		for (i = 1; i <= lines; i++)
			print statement[i]
	lines = quotes = atomic = 0
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

lines == 0 && (/^--/ || /^\\/ || /^[ \t]*$/) { next }

{
	statement[++lines] = $0
	line = outside($0)
	sub(/[ \t]--[^']*$/, "", line)
	quotes += gsub(/'/, "", line)
	if ($0 == "BEGIN ATOMIC" && tag == "")
		atomic = 1
	if (tag == "" && quotes % 2 == 0 && (atomic ? $0 == "END;" : /;$/))
		flush_statement()
}
