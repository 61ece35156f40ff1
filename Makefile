# elecbill: the extension (PGXS), the collector (own rules), and everything that tests them.
# make help lists the targets.

# ---------------------------------------------------------------- what is built

EXTENSION = elecbill
EB_VERSION := $(shell sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p" elecbill.control)
SCRIPT = sql/elecbill--$(EB_VERSION).sql

ENGINE_PARTS := $(sort $(wildcard sql/engine/*.sql))
SCHEMA_PARTS := $(sort $(wildcard sql/schema/*.sql))
FORMER := $(foreach step,$(wildcard sql/upgrade/elecbill--*--*.sql),$(word 2,$(subst --, ,$(notdir $(step)))))
UPGRADES := $(FORMER:%=sql/elecbill--%--$(EB_VERSION).sql)
SCHEMA_STEPS := $(shell ls sql/upgrade/schema--*.sql 2>/dev/null | sort -V)

PURE_FLOORS = base rating risk codec trust
PURE_OBJS := $(patsubst %.c,%.o,$(sort $(wildcard $(PURE_FLOORS:%=src/%/*.c))))
PG_SRCS := $(sort $(wildcard src/pg/*.c))
PG_OBJS := $(PG_SRCS:.c=.o)
COLLECTOR_OBJS := $(patsubst %.c,%.o,$(sort $(wildcard collector/*.c)))
COLLECTOR_PURE := $(filter src/base/% src/codec/%,$(PURE_OBJS))
COLLECTOR = collector/elecbill-collector

MODULE_big = elecbill
OBJS = $(PG_OBJS) $(PURE_OBJS)
DATA_built = $(SCRIPT) $(UPGRADES)
SHLIB_EXPORTS = src/pg/exports.txt

# pg_regress tests, by name: the built script lies in sql/ too. test/regress runs them, each in a
# database of its own; make installcheck is not used, for it would run them all in one.
REGRESS = load_profile core device html frame csv demand_rate estate ingest reading staff tier rounding rate increment line_delta period usage usage_summary usage_rows register_usage usage_profile compare tariff_plan bill_run \
	tariff tariff_lint rider version session import_ocpi net import_urdb rolling import_intervals import_market register_days
NO_INSTALLCHECK = 1

# PGXS takes these goals, tests nothing, and says that all is well.
ifneq ($(filter check installcheck,$(MAKECMDGOALS)),)
$(error The test command is: make test)
endif

# Debian packages of `make demo` and `make test`; the only list.
PACKAGES = build-essential clang clang-format-14 libclang-rt-14-dev shellcheck python3 \
	python3-psycopg2 python3-jsonschema socat postgresql-15 postgresql-server-dev-15 postgresql-15-pgtap \
	postgresql-15-plpgsql-check libtap-parser-sourcehandler-pgtap-perl libpq-dev \
	postgresql-15-cron libserialport-dev libconfig-dev libjson-c-dev \
	mbpoll python3-pymodbus python3-serial-asyncio libmodbus-dev gensio-bin ser2net

# PROFILE: more compiler flags for everything. -MMD: people edit headers, objects must notice.
PG_CPPFLAGS = -Isrc
PG_CFLAGS = -MMD -MP $(PROFILE)

EXTRA_CLEAN = $(wildcard sql/elecbill--*.sql sql/elecbill--*.tmp) src/pg/exports.txt src/pg/exports.list \
	$(wildcard src/*/*.d collector/*.d) results regression.diffs regression.out output_iso \
	test/unit/build demo

# PostgreSQL 15 of Debian first: a pg_config of another version may be earlier in PATH.
PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

# The first goal: PGXS adds the module to it. NO_COLLECTOR=1 leaves the collector out.
all:

ifneq ($(PGXS),)
include $(PGXS)
else
CFLAGS ?= -O2 -g -Wall
CFLAGS_SL = -fPIC
override CFLAGS += $(PG_CFLAGS)
INSTALL_PROGRAM = install
all install installdirs uninstall: no-server-headers
no-server-headers:
	@echo "PostgreSQL's build files are missing: make packages, or make collector alone" >&2; exit 1
clean:
	rm -rf $(OBJS) $(EXTRA_CLEAN)
endif

# ---------------------------------------------------------------- the extension

# A pure floor sees src and nothing else: an include of postgres.h does not compile there.
# gcc 12 takes the aligned typedef of __int128 for a type of another sign; clang is asked in make lint.
# Hidden: nothing of it is exported anyway, and functions known to stay inside may be inlined.
PURE_CFLAGS = -std=c11 -fvisibility=hidden -Wconversion -Wno-sign-conversion -Wshadow $(CFLAGS_SL)
$(PURE_OBJS) $(PURE_OBJS:.o=.bc): override CPPFLAGS := -Isrc
$(PURE_OBJS): override CFLAGS += $(PURE_CFLAGS)
$(filter src/rating/%,$(PURE_OBJS)): override CFLAGS += -O3
src/pg/elecbill.o src/pg/elecbill.bc: override CPPFLAGS += -DELECBILL_VERSION='"$(EB_VERSION)"'
src/pg/elecbill.o src/pg/elecbill.bc: elecbill.control

# The script: the engine parts in name order, then the schema parts as the body of create_schema(),
# then the steps of upgrade_schema(). An upgrade script, one from each former version to this: the steps of
# sql/upgrade, then everything that can be written over its former self. They and the export list are made anew each time and put
# in place when they differ, so that a part which was taken away is noticed.
put_in_place = if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

$(SCRIPT): FORCE
	@{ cat $(ENGINE_PARTS) && sql/upgrade/procedures '$(SCHEMA_PARTS)' '$(SCHEMA_STEPS)'; } > $@.tmp
	@$(put_in_place)

$(UPGRADES): sql/elecbill--%--$(EB_VERSION).sql: FORCE
	@{ sql/upgrade/engine_steps $* && { cat $(ENGINE_PARTS) && sql/upgrade/procedures '$(SCHEMA_PARTS)' '$(SCHEMA_STEPS)'; } | \
	  awk -f sql/upgrade/replace.awk; } > $@.tmp
	@$(put_in_place)

src/pg/exports.txt: FORCE
	@{ printf '%s\n' Pg_magic_func _PG_init; \
	  sed -n 's/^PG_FUNCTION_INFO_V1(\([a-z0-9_]*\));.*/\1\npg_finfo_\1/p; s/^PGDLLEXPORT void \([a-z0-9_]*\)(Datum .*/\1/p' $(PG_SRCS) | sort; } > $@.tmp
	@if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

FORCE:

# ---------------------------------------------------------------- the collector

# Needs no PostgreSQL server, only libpq: make collector, make install-collector. Beside the program
# are installed: manual page, doc/collector.md, example, systemd unit, account and udev rule. A package sets
# COLLECTOR_PREFIX=/usr; sysusers.d, udev and the unit are looked for below /usr/local too.
COLLECTOR_PREFIX ?= /usr/local
COLLECTOR_BINDIR ?= $(COLLECTOR_PREFIX)/bin
COLLECTOR_ROOT = $(DESTDIR)$(COLLECTOR_PREFIX)
COLLECTOR_FILES = share/man/man8/elecbill-collector.8 share/doc/elecbill/collector.md \
	share/doc/elecbill/collector.conf.example lib/systemd/system/elecbill-collector.service lib/sysusers.d/elecbill.conf \
	lib/udev/rules.d/70-elecbill.rules
LIBPQ_INCLUDE = $(shell $(PG_CONFIG) --includedir)
$(COLLECTOR_OBJS): override CPPFLAGS := -Isrc -Icollector -I$(LIBPQ_INCLUDE) \
	-DELECBILL_VERSION='"$(EB_VERSION)"'
$(COLLECTOR_OBJS): elecbill.control

$(COLLECTOR): $(COLLECTOR_OBJS) $(COLLECTOR_PURE)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpq -lserialport -lconfig

ifneq ($(filter collector/main.o,$(COLLECTOR_OBJS)),)
collector: $(COLLECTOR)

install-collector: collector
	mkdir -p '$(DESTDIR)$(COLLECTOR_BINDIR)'
	$(INSTALL_PROGRAM) $(COLLECTOR) '$(DESTDIR)$(COLLECTOR_BINDIR)/elecbill-collector'
	mkdir -p $(patsubst %,'$(COLLECTOR_ROOT)/%',$(dir $(COLLECTOR_FILES)))
	install -m 644 collector/system/elecbill-collector.8 '$(COLLECTOR_ROOT)/share/man/man8/'
	install -m 644 doc/collector.md '$(COLLECTOR_ROOT)/share/doc/elecbill/'
	install -m 644 collector/elecbill-collector.conf.example \
		'$(COLLECTOR_ROOT)/share/doc/elecbill/collector.conf.example'
	sed 's|@BINDIR@|$(COLLECTOR_BINDIR)|' collector/system/elecbill-collector.service.in \
		> '$(COLLECTOR_ROOT)/lib/systemd/system/elecbill-collector.service'
	install -m 644 collector/system/elecbill.sysusers '$(COLLECTOR_ROOT)/lib/sysusers.d/elecbill.conf'
	install -m 644 collector/system/70-elecbill.rules '$(COLLECTOR_ROOT)/lib/udev/rules.d/'

uninstall-collector:
	rm -f '$(DESTDIR)$(COLLECTOR_BINDIR)/elecbill-collector' \
		$(patsubst %,'$(COLLECTOR_ROOT)/%',$(COLLECTOR_FILES))

ifndef NO_COLLECTOR
all: collector
install: install-collector
uninstall: uninstall-collector
endif
endif

clean: clean-collector
clean-collector:
	rm -f $(COLLECTOR) $(COLLECTOR_OBJS)

# ---------------------------------------------------------------- unit tests

# test/unit/test_TOPIC.c, each a program of its own with every pure object, under the sanitizers.
UNIT = test/unit/build
UNIT_CFLAGS = -std=c11 -O1 -g -Wall -Wextra -Wno-unused-parameter -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all -Isrc -Itest/unit -MMD -MP
UNIT_PURE := $(PURE_OBJS:%=$(UNIT)/%)
UNIT_TESTS := $(patsubst test/unit/%.c,$(UNIT)/%,$(sort $(wildcard test/unit/test_*.c)))

$(UNIT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -c -o $@ $<

$(UNIT_TESTS): $(UNIT)/test_%: $(UNIT)/test/unit/test_%.o $(UNIT_PURE)
	$(CC) $(UNIT_CFLAGS) -o $@ $^

unit: $(UNIT_TESTS)
	@test/unit/run $(UNIT_TESTS)

# ---------------------------------------------------------------- two commands and the rest

# make demo and make test do all their own set-up; test/with-pg builds and installs the extension.
packages:
	@test/packages $(PACKAGES)

demo: packages
	test/with-pg sh -c 'test/demo/run && test/demo/estate'

test: packages
	@REGRESS='$(REGRESS)' test/run

lint: packages
	@REGRESS='$(REGRESS)' test/lint/run

format: packages
	clang-format-14 -i $(C_FILES)
C_FILES = $(sort $(shell find src collector test -name '*.[ch]' -not -path '$(UNIT)/*'))

# The reference tables of README.md are made from the COMMENTs of the objects.
readme: packages
	test/with-pg test/readme write

# Test cases from elsewhere: DIR is a folder of them.
SHARED = $(or $(ELECBILL_SHARED),../shared)
vectors: packages
	@test/with-pg test/vectors/run-vectors $(or $(DIR),$(SHARED)/vectors/tariff)

frames: packages
	@test/with-pg test/vectors/run-frames $(or $(DIR),$(SHARED)/vectors/frames)

# The tests that draw at random, for longer: SOAK_SECONDS for each fuzzer, SOAK_ROUNDS kills of who bills,
# SOAK_LIFE of whoever is at work, SOAK_MONTHS months of an estate,
# SOAK_CASES bills against the oracle in Python, SOAK_PROPERTIES against the one in SQL, SOAK_ACCOUNTS accounts
# whose energy is followed from the registers to the bills, SOAK_MONEY sequences of calls that move money,
# SOAK_PROFILES random meters, SOAK_KILLS kills of the collector, SOAK_LOAD seconds of load.
SOAK_SECONDS = 600
SOAK_ROUNDS = 200
SOAK_LIFE = 50
SOAK_MONTHS = 24
SOAK_CASES = 2000
SOAK_PROPERTIES = 100000
SOAK_ACCOUNTS = 10000
SOAK_MONEY = 2000
SOAK_PROFILES = 1000
SOAK_KILLS = 1000
SOAK_LOAD = 300
soak: packages
	FUZZ_SECONDS=$(SOAK_SECONDS) test/fuzz/test_fuzz
	ROUNDS=$(SOAK_ROUNDS) test/with-pg test/crash/test_bill_run.sh
	KILLS=$(SOAK_LIFE) test/with-pg test/crash/test_retry.sh
	MONTHS=$(SOAK_MONTHS) test/with-pg test/simulate/test_simulate
	ORACLE_CASES=$(SOAK_CASES) test/with-pg test/oracle/test_oracle
	PROPERTY_CASES=$(SOAK_PROPERTIES) test/with-pg test/property/test_property
	PROPERTY_ACCOUNTS=$(SOAK_ACCOUNTS) test/with-pg test/property/test_energy
	MONEY_SEQUENCES=$(SOAK_MONEY) MONEY_CALLS=2000 test/with-pg test/property/test_money
	PROFILE_CASES=$(SOAK_PROFILES) test/with-pg test/profile/test_profile
	ZONES='Asia/Shanghai America/St_Johns Pacific/Apia' test/with-pg test/pgtap
	ROUNDS=$(SOAK_KILLS) test/with-pg test/collector/test_crash
	LOAD_SECONDS=$(SOAK_LOAD) test/with-pg test/collector/test_load
	STOP_SECONDS=60 test/with-pg test/collector/test_hours stopped

bench: packages
	@test/with-pg test/bench/run $(if $(JSON),--json)

bench-collector: packages
	@test/with-pg test/bench/collector $(if $(JSON),--json)

help:
	@echo 'make             the extension and the collector (NO_COLLECTOR=1: without)'
	@echo 'make install     both; make install-collector: the collector alone'
	@echo 'make packages    the Debian packages that the targets below need'
	@echo 'make demo        from a meter on a wire to printed bills, and an estate of thirteen months (KEEP=1 keeps the server)'
	@echo 'make test        every test; the last line sums up'
	@echo 'make lint        warnings, format, exports, members, comments, hygiene'
	@echo 'make unit        the plain C tests under the sanitizers'
	@echo 'make vectors     tariff cases, make frames: meter frames (DIR=folder)'
	@echo 'make soak        fuzzers, kill -9, load and random bills for longer (SOAK_SECONDS, SOAK_ROUNDS, SOAK_CASES, ...)'
	@echo 'make bench       speed; make bench-collector: a backlog beside COPY, 16,000 meters (JSON=1 for programs)'
	@echo 'make format      clang-format; make readme: the reference tables of README.md'

-include $(OBJS:.o=.d) $(COLLECTOR_OBJS:.o=.d) $(UNIT_PURE:.o=.d)
-include $(UNIT_TESTS:$(UNIT)/%=$(UNIT)/test/unit/%.d)

.PHONY: all FORCE collector install-collector uninstall-collector clean-collector packages demo \
	test lint unit format readme vectors frames soak bench bench-collector help no-server-headers
