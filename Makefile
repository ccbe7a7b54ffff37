# make help tells what there is.

VERSION = 0.1.0

PREFIX ?= /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man/man1
# For bash, zsh and fish.
COMPLETIONS = $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions/precheck \
	zsh/site-functions/_precheck fish/vendor_completions.d/precheck.fish)
DESTDIR ?=

# One object folder a configuration: `make CONFIG=asan`, `make CC=clang CONFIG=clang`.
CONFIG ?= release
OUT = build/$(CONFIG)

CFLAGS ?= -O3 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
# Never a fused or reassociated operation that the source does not spell out.
EXACT = -ffp-contract=off -fno-fast-math
ALL_CFLAGS = -std=c11 $(WARNINGS) $(CFLAGS) $(EXACT) -pthread -MMD -MP
ALL_CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DPRECHECK_VERSION='"$(VERSION)"' -Isrc $(CPPFLAGS)
LIBS = -lmpfr -lgmp -ljansson -ldeflate -lz -lm

# What avx512_*.c are compiled for; tests/simde/immintrin.h does the rest.
AVX512_FLAGS = -mavx512f -mavx512bw -mavx512dq -mavx512vl
ifeq ($(CONFIG),simde)
AVX512_FLAGS = -mavx2 -mfma -mf16c -Itests/simde -Wno-psabi
override CPPFLAGS += -DAVX512_EMULATED
endif

ifeq ($(CONFIG),asan)
override CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
override LDFLAGS += -fsanitize=address,undefined
endif

SOURCES = $(sort $(wildcard src/*/*.c src/*/*/*.c))
# The only files that may hold instructions that not every processor has.
AVX2_SOURCES = $(wildcard src/kernel/fast/avx2_*.c)
AVX512_SOURCES = $(wildcard src/kernel/fast/avx512_*.c)
NEON_SOURCES = $(wildcard src/kernel/fast/neon_*.c)
ARCHITECTURE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
ifneq ($(ARCHITECTURE),x86_64)
SOURCES := $(filter-out $(AVX2_SOURCES) $(AVX512_SOURCES),$(SOURCES))
endif
ifneq ($(ARCHITECTURE),aarch64)
SOURCES := $(filter-out $(NEON_SOURCES),$(SOURCES))
endif
OBJECTS = $(SOURCES:src/%.c=$(OUT)/%.o)
LIBRARY = $(OUT)/libprecheck.a

# A test program is a tests/FOLDER/NAME_test.c and the other .c files of its folder.
TEST_FOLDERS = unit kernel exact
TEST_SOURCES = $(sort $(foreach folder,$(TEST_FOLDERS),$(wildcard tests/$(folder)/*.c)))
TEST_OBJECTS = $(TEST_SOURCES:tests/%.c=$(OUT)/tests/%.o)
TEST_PROGRAMS = $(patsubst %.o,%,$(filter %_test.o,$(TEST_OBJECTS)))

# Targets that begin with an installation build by a make of their own, on all processors.
SUBMAKE = $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

ifneq ($(V),1)
quiet = @printf '  %-4s %s\n' $(1) $(2);
endif

.PHONY: all help demo check check-exhaustive check-arm64 check-avx512 asan fuzz
.PHONY: install uninstall clean packages
.SECONDARY:

all: build/precheck

help:
	@echo 'make                    build build/precheck'
	@echo 'make demo               install what is missing, build, look at two real tensors'
	@echo 'make check              install what is missing, build, run all tests (minutes)'
	@echo 'make check-exhaustive   also prove every float32 cast (longer)'
	@echo 'make check-arm64        build for arm64 and run the kernel tests in an emulator'
	@echo 'make check-avx512       run the kernel tests with AVX-512, emulated where need be'
	@echo 'make asan               build with ASan and UBSan and run the tests with it'
	@echo 'make fuzz [SECONDS=60]  run the fuzzers (clang)'
	@echo 'make bench              speed, next to a program that only reads the file'
	@echo 'make bench-peers        speed and memory, next to numpy and torch'
	@echo '                        [QUICK=1] [BUSY=1] [ELEMENTS=100000000] [RUNS=7] [DIRECTORY=build/bench]'
	@echo 'make install            PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make clean'
	@echo
	@echo 'CONFIG=name CC=compiler CFLAGS=flags choose a build, V=1 shows the commands'

build/precheck: $(OUT)/precheck
	@cp -f $< $@

$(OUT)/precheck: $(OUT)/cli/main.o $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ $(LIBS) -o $@

$(LIBRARY): $(filter-out $(OUT)/cli/main.o,$(OBJECTS))
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(AVX2_SOURCES:src/%.c=$(OUT)/%.o): ALL_CFLAGS += -mavx2 -mfma -mf16c
$(AVX512_SOURCES:src/%.c=$(OUT)/%.o): ALL_CFLAGS += $(AVX512_FLAGS)

# What the HTML report embeds; its policy names it by hash.
HTML_STYLE = src/output/html/style.css
HTML_SCRIPT = src/output/html/charts.js src/output/html/table.js
hash = sha256-$(shell cat $(1) | sha256sum | cut -c -64 | tr a-f A-F | basenc --base16 -d | base64 -w 0)
$(OUT)/output/html/assets.o: $(HTML_STYLE) $(HTML_SCRIPT)
$(OUT)/output/html/assets.o: ALL_CPPFLAGS += \
	-DHTML_STYLE_HASH='"$(call hash,$(HTML_STYLE))"' -DHTML_SCRIPT_HASH='"$(call hash,$(HTML_SCRIPT))"'

COMPLETION_SOURCES = $(addprefix src/cli/options/completion.,bash zsh fish)
$(OUT)/cli/options/completion.o: $(COMPLETION_SOURCES)

$(OUT)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(OUT)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -c $< -o $@

# The objects of a folder that are no test programs. (A % in the rule itself would be its stem.)
helpers = $(filter-out %_test.o,$(filter $(1)/%,$(TEST_OBJECTS)))
.SECONDEXPANSION:
$(TEST_PROGRAMS): %: $$(call helpers,$$(@D)) %.o $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ -lcmocka $(LIBS) -o $@

# What tests in other languages call.
TOOLS = $(OUT)/tests/containers/dump
$(TOOLS): %: %.o $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ $(LIBS) -o $@

# The fuzz targets, to run over their corpora once.
REPLAYS = $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/fuzz/*_fuzz.c))
$(OUT)/tests/fuzz/harness.o: ALL_CPPFLAGS += -DREPLAY
$(REPLAYS): %: %.o $(OUT)/tests/fuzz/harness.o $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ $(LIBS) -o $@

BENCH_PROGRAMS = $(addprefix $(OUT)/tests/bench/,make_data floor measure)
$(BENCH_PROGRAMS): $(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $< -lm -o $@

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(TOOLS:=.d) $(REPLAYS:=.d) $(OUT)/tests/fuzz/harness.d $(BENCH_PROGRAMS:=.d)

packages:
	@tests/packages build

# What tests look for and are skipped without.
OPTIONAL = validators browser

demo: packages
	+@$(SUBMAKE) all
	@tests/demo build/precheck

check:
	@tests/packages build test
	@tests/packages --optional $(OPTIONAL)
	+@$(SUBMAKE) all test-programs
	@tests/run $(OUT)

check-exhaustive:
	@tests/packages build test
	@tests/packages --optional $(OPTIONAL)
	+@$(SUBMAKE) all test-programs
	@PRECHECK_EXHAUSTIVE=1 tests/run $(OUT)

# Emulated by QEMU; what is compared with it is the build of this machine.
check-arm64:
	@tests/packages build test arm64
	+@$(SUBMAKE) $(OUT)/precheck
	+@$(SUBMAKE) CONFIG=arm64 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar \
		build/arm64/precheck test-programs
	@RUNNER=qemu-aarch64 tests/run build/arm64 $(OUT)

# As it is where this machine has AVX-512, else compiled to AVX2 by SIMDe.
check-avx512:
	@tests/packages build test
	+@$(SUBMAKE) $(OUT)/precheck
	+@if $(OUT)/precheck --quiet --isa avx512 data/digits-weight.npy 2>/dev/null; then \
		$(SUBMAKE) test-programs && tests/run $(OUT) $(OUT); \
	else \
		echo 'this processor has no AVX-512: SIMDe stands in for it'; \
		tests/packages simde && \
		$(SUBMAKE) CONFIG=simde build/simde/precheck test-programs && \
		tests/run build/simde $(OUT); \
	fi

.PHONY: test-programs
test-programs: $(TEST_PROGRAMS) $(TOOLS) $(REPLAYS)

asan:
	@tests/packages build test
	@tests/packages --optional $(OPTIONAL)
	+@$(SUBMAKE) CONFIG=asan build/asan/precheck test-programs
	@tests/run build/asan

SECONDS ?= 60
fuzz:
	@tests/packages build test fuzz
	@tests/fuzz/run $(SECONDS)

# BUSY=1 compares processor time: for a machine that has other things to do.
BENCH_OPTIONS = --precheck $(OUT)/precheck --programs $(OUT)/tests/bench --directory $(or $(DIRECTORY),build/bench) \
	$(if $(ELEMENTS),--elements $(ELEMENTS)) $(if $(RUNS),--runs $(RUNS)) $(if $(QUICK),--quick) \
	$(if $(BUSY),--processor-time)

.PHONY: bench bench-peers bench-programs
bench-programs: $(BENCH_PROGRAMS)

bench:
	@tests/packages build test
	+@$(SUBMAKE) all bench-programs
	@tests/bench/bench.py $(BENCH_OPTIONS)

bench-peers:
	@tests/packages build test bench
	+@$(SUBMAKE) all bench-programs
	@tests/bench/peers.py $(BENCH_OPTIONS)

# A build for another architecture has completions where RUNNER, such as qemu-aarch64, runs it.
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)
	install -m 755 build/precheck $(DESTDIR)$(BINDIR)/precheck
	install -m 644 man/precheck.1 $(DESTDIR)$(MANDIR)/precheck.1
	@set -- $(COMPLETIONS); for shell in bash zsh fish; do \
		install -D -m 644 /dev/null "$$1" || exit; \
		$(RUNNER) build/precheck --completion $$shell >"$$1" || \
			{ rm -f "$$1"; echo 'no completion, as build/precheck does not run here'; }; \
		shift; \
	done

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/precheck $(DESTDIR)$(MANDIR)/precheck.1 $(COMPLETIONS)

clean:
	rm -rf build
