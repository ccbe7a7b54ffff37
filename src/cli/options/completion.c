/* A script has two parts: what follows from the tables of options, formats, figures and so on, and
 * a text that is always the same: completion.bash, completion.zsh and completion.fish. */
#include "cli/options/completion.h"

#include <stdbool.h>
#include <string.h>

#include "base/embed.h"
#include "format/cast.h"
#include "format/format.h"
#include "gate/gate.h"
#include "kernel/kernel.h"
#include "output/output.h"

/* Lists of words have spaces between them. None has a character that means something to a shell. */
static void add_word(void *list, const char *word)
{
    const struct buffer *so_far = list;
    buffer_printf(list, "%s%s", so_far->length ? " " : "", word);
}

/* From "a,b,c". */
static void add_aliases(struct buffer *list, const char *aliases)
{
    buffer_puts(list, " ");
    for (const char *at = aliases; *at; at++)
        buffer_add(list, *at == ',' ? " " : at, 1);
}

static void add_formats(struct buffer *list)
{
    add_word(list, "fp8");
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        add_word(list, format_named(i).name);
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        if (*format_aliases(i))
            add_aliases(list, format_aliases(i));
}

static void add_dtypes(struct buffer *list)
{
    add_word(list, "f64"); /* the only one that is no format */
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        if (format_dtype(i))
            add_word(list, format_dtype(i));
}

static void add_roundings(struct buffer *list)
{
    for (int i = 0; i < ROUND_COUNT; i++)
        add_word(list, rounding_name((enum rounding)i));
}

static void add_scales(struct buffer *list)
{
    buffer_puts(list, "amax 2^");
}

static void add_instruction_sets(struct buffer *list)
{
    add_word(list, "auto");
    for (size_t i = 0; i < kernel_count; i++)
        add_word(list, kernel_table[i]->name);
}

static void add_kinds(struct buffer *list)
{
    for (size_t i = 0; output_kind(i); i++)
        add_word(list, output_kind(i));
}

/* What a rule can begin with. */
static void add_figures(struct buffer *list)
{
    gate_each_figure(add_word, list);
    buffer_puts(list, " fp8:");
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        buffer_printf(list, " %s:", format_named(i).name);
}

/* How an argument is completed, which the scripts have a function for, and from which words;
 * without them, where they are in option_words. */
static const struct value_row {
    const char *style;
    void (*add)(struct buffer *list);
} value_rows[TAKES_COUNT] = {
    [TAKES_NUMBER] = {"number", NULL},
    [TAKES_FILE] = {"file", NULL},
    [TAKES_NAMES] = {"names", NULL},
    [TAKES_RULE] = {"rule", add_figures},
    [TAKES_KIND] = {"kind", add_kinds},
    [TAKES_FORMATS] = {"formats", add_formats},
    [TAKES_DTYPE] = {"words", add_dtypes},
    [TAKES_LAYOUT] = {"words", add_dtypes},
    [TAKES_ROUNDING] = {"words", add_roundings},
    [TAKES_SCALE] = {"words", add_scales},
    [TAKES_ISA] = {"words", add_instruction_sets},
    [TAKES_POLICY] = {"words", NULL},
    [TAKES_ORDER] = {"words", NULL},
    [TAKES_WHEN] = {"words", NULL},
    [TAKES_SHELL] = {"words", NULL},
};

/* One option, as the scripts need it. */
struct facts {
    const struct option_row *row;
    const char *style;   /* NULL for an option without argument */
    struct buffer words; /* owned */
};

/* Text between single quotes, with a backslash before each of the special characters. */
static void add_quoted(struct buffer *out, const char *text, size_t length, const char *special)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            buffer_puts(out, "'\\'");
        else if (strchr(special, text[i]))
            buffer_puts(out, "\\");
        buffer_add(out, text[i] == '\n' ? " " : &text[i], 1);
    }
}

/* What an option does: the first words of its help. */
static void add_purpose(struct buffer *out, const struct facts *facts, const char *special)
{
    const char *help = facts->row->help;
    size_t length = 0;
    while (help[length] && !strchr(":;", help[length]) && help[length + 1] != '(')
        length++;
    add_quoted(out, help, length, special);
}

static void each_option(struct buffer *out, void (*add)(struct buffer *, const struct facts *))
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        const struct value_row *value = &value_rows[row->takes];
        struct facts facts = {.row = row, .style = value->style};
        buffer_puts(&facts.words, "");
        if (value->add)
            value->add(&facts.words);
        for (const struct word *word = option_words(row->takes); word && word->name; word++)
            add_word(&facts.words, word->name);
        add(out, &facts);
        buffer_free(&facts.words);
    }
}

static void add_comparisons(struct buffer *out)
{
    for (size_t i = 0; gate_comparison(i); i++)
        buffer_printf(out, "%s'%s'", i ? " " : "", gate_comparison(i));
}

/*     -t | --to) takes=formats words='fp8 fp16' ;; */
static void add_bash_case(struct buffer *out, const struct facts *facts)
{
    if (!facts->style)
        return;
    buffer_puts(out, "    ");
    if (facts->row->letter)
        buffer_printf(out, "-%c | ", facts->row->letter);
    buffer_printf(out, "--%s) takes=%s words='%s' ;;\n", facts->row->name, facts->style,
                  facts->words.data);
}

static void add_bash(struct buffer *out)
{
    buffer_puts(out, "_precheck_options=(");
    for (int i = 0; i < OPTION_COUNT; i++)
        buffer_printf(out, "%s--%s", i ? " " : "", option_rows[i].name);
    buffer_puts(out, ")\n_precheck_comparisons=(");
    add_comparisons(out);
    buffer_puts(out, ")\n\n"
                     "# How the argument of an option is completed, and from which words.\n"
                     "_precheck_takes()\n{\n    case $1 in\n");
    each_option(out, add_bash_case);
    buffer_puts(out, "    *) takes='' words='' ;;\n    esac\n}\n");
}

/* What _arguments does with the argument. */
static void add_zsh_action(struct buffer *out, const struct facts *facts)
{
    bool words = strcmp(facts->style, "words") == 0;
    if (strcmp(facts->style, "number") == 0)
        buffer_puts(out, " ");
    else if (strcmp(facts->style, "file") == 0)
        buffer_puts(out, "_files");
    else if (words)
        buffer_puts(out, "(");
    else
        buffer_printf(out, " _precheck_%s ", facts->style);
    add_quoted(out, facts->words.data, facts->words.length, ":");
    if (words)
        buffer_puts(out, ")");
}

/*     '*'{-t+,--to=}'[formats to cast to]:LIST: _precheck_formats fp8 fp16' */
static void add_zsh_option(struct buffer *out, const struct facts *facts)
{
    const struct option_row *row = facts->row;
    buffer_puts(out, "    '*");
    if (row->letter)
        buffer_printf(out, "'{-%c%s,--%s%s}'", row->letter, facts->style ? "+" : "", row->name,
                      facts->style ? "=" : "");
    else
        buffer_printf(out, "--%s%s", row->name, facts->style ? "=" : "");
    buffer_puts(out, "[");
    add_purpose(out, facts, "[]");
    buffer_puts(out, "]");
    if (facts->style) {
        buffer_puts(out, ":");
        add_quoted(out, row->argument, strlen(row->argument), ":");
        buffer_puts(out, ":");
        add_zsh_action(out, facts);
    }
    buffer_puts(out, "'\n");
}

static void add_zsh(struct buffer *out)
{
    buffer_puts(out, "typeset -ga _precheck_options=(\n");
    each_option(out, add_zsh_option);
    buffer_puts(out, ")\ntypeset -ga _precheck_comparisons=(");
    add_comparisons(out);
    buffer_puts(out, ")\n");
}

/* For argparse: t/to= */
static void add_fish_spec(struct buffer *out, const struct facts *facts)
{
    buffer_puts(out, " ");
    if (facts->row->letter)
        buffer_printf(out, "%c/", facts->row->letter);
    buffer_printf(out, "%s%s", facts->row->name, facts->style ? "=" : "");
}

/* complete -c precheck -s t -l to -d 'formats to cast to' -x -a '(__precheck_formats fp8 fp16)' */
static void add_fish_option(struct buffer *out, const struct facts *facts)
{
    const struct option_row *row = facts->row;
    buffer_puts(out, "complete -c precheck");
    if (row->letter)
        buffer_printf(out, " -s %c", row->letter);
    buffer_printf(out, " -l %s -d '", row->name);
    add_purpose(out, facts, "");
    buffer_puts(out, "'");
    if (!facts->style)
        buffer_puts(out, "\n");
    else if (strcmp(facts->style, "number") == 0)
        buffer_puts(out, " -x\n");
    else if (strcmp(facts->style, "file") == 0)
        buffer_puts(out, " -r -F\n");
    else if (strcmp(facts->style, "words") == 0)
        buffer_printf(out, " -x -a '%s'\n", facts->words.data);
    else
        buffer_printf(out, " -x -a '(__precheck_%s %s)'\n", facts->style, facts->words.data);
}

static void add_fish(struct buffer *out)
{
    buffer_puts(out, "set -g __precheck_comparisons ");
    add_comparisons(out);
    buffer_puts(out, "\nset -g __precheck_specs");
    each_option(out, add_fish_spec);
    buffer_puts(out, "\n\n");
    each_option(out, add_fish_option);
}

EMBED(completion_bash, EMBEDDED("cli/options/completion.bash"));
EMBED(completion_zsh, EMBEDDED("cli/options/completion.zsh"));
EMBED(completion_fish, EMBEDDED("cli/options/completion.fish"));
extern const char completion_bash[], completion_zsh[], completion_fish[];

void completion_script(enum shell shell, struct buffer *out)
{
    static const struct {
        const char *head; /* what other programs look for there */
        void (*add)(struct buffer *out);
        const char *text;
    } scripts[] = {
        [SHELL_BASH] = {"# shellcheck shell=bash disable=SC2206,SC2209\n", add_bash,
                        completion_bash},
        [SHELL_ZSH] = {"#compdef precheck\n", add_zsh, completion_zsh},
        [SHELL_FISH] = {"", add_fish, completion_fish},
    };
    buffer_printf(out, "%s# `precheck --completion %s`, of precheck %s\n\n", scripts[shell].head,
                  option_words(TAKES_SHELL)[shell].name, PRECHECK_VERSION);
    scripts[shell].add(out);
    buffer_puts(out, scripts[shell].text);
}
