/* The options as a table, from options.def, and the words that some of them take. */
#ifndef PRECHECK_CLI_OPTIONS_OPTION_TABLE_H
#define PRECHECK_CLI_OPTIONS_OPTION_TABLE_H

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "cli/options/options.def"
#undef OPTION
    OPTION_COUNT
};

/* Where --help and the manual page have it. */
enum option_section {
    SECTION_INPUT,
    SECTION_CAST,
    SECTION_ANALYSIS,
    SECTION_OUTPUT,
    SECTION_GATES,
    SECTION_RUNNING,
    SECTION_COUNT
};

enum option_value {
    TAKES_NOTHING,
    TAKES_NUMBER,
    TAKES_FILE,     /* or a directory */
    TAKES_NAMES,    /* a pattern of tensor names */
    TAKES_RULE,     /* of a gate */
    TAKES_KIND,     /* of output, and a path */
    TAKES_FORMATS,  /* names between commas */
    TAKES_DTYPE,    /* an element type */
    TAKES_LAYOUT,   /* an element type and where the elements are */
    TAKES_ROUNDING, /* a mode, and a seed */
    TAKES_SCALE,
    TAKES_ISA,
    /* One of option_words: */
    TAKES_POLICY,
    TAKES_ORDER,
    TAKES_WHEN,
    TAKES_SHELL,
    TAKES_COUNT
};

/* With what an option has an effect. */
enum option_use { USE_RUN, USE_LIST, USE_ALL };

struct option_row {
    char letter; /* NUL for none */
    const char *name, *argument;
    enum option_value takes;
    enum option_use use;
    enum option_section section;
    const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT];

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };
enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };

struct word {
    const char *name;
    int value;
};

/* A table that ends with a NULL name; NULL for arguments that are not one of a few words. */
const struct word *option_words(enum option_value takes);

#endif
