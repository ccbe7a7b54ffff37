#include "cli/options/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/file.h"
#include "gate/policy.h"

static const char *const section_titles[SECTION_COUNT] = {"Input",  "Cast",  "Analysis",
                                                          "Output", "Gates", "Running"};

/* Above every letter, so that getopt_long tells a long option by its number. */
enum { LONG_BASE = 256, COLUMN = 30, HELP_WIDTH = 50 };

enum { TOP_DEFAULT = 20 };

/* The kinds of --output, in lines of at most `width`. */
static void add_kinds(struct buffer *out, size_t width)
{
    const char *kind;
    size_t line = out->length; /* where it begins */
    for (size_t i = 0; (kind = output_kind(i)); i++) {
        bool fits = out->length - line + strlen(kind) + strlen(", ,") <= width;
        if (i)
            buffer_puts(out, fits ? ", " : ",\n");
        if (!fits)
            line = out->length;
        buffer_puts(out, kind);
    }
}

/* From the help column on, where the first line begins as far as `used` leaves room. */
static void add_help(struct buffer *out, const char *help, size_t used)
{
    for (const char *line = help; *line; used = 0) {
        size_t length = strcspn(line, "\n");
        buffer_printf(out, "%*s%.*s\n", (int)(used < COLUMN ? COLUMN - used : 1), "", (int)length,
                      line);
        line += length + (line[length] == '\n');
    }
}

static void add_option(struct buffer *out, enum option_id id)
{
    const struct option_row *row = &option_rows[id];
    size_t start = out->length;
    if (row->letter)
        buffer_printf(out, "  -%c, --%s", row->letter, row->name);
    else
        buffer_printf(out, "      --%s", row->name);
    if (row->argument)
        buffer_printf(out, "=%s", row->argument);
    struct buffer help = {0};
    buffer_puts(&help, row->help);
    if (id == OPTION_OUTPUT) {
        buffer_puts(&help, "\n");
        add_kinds(&help, HELP_WIDTH);
    }
    add_help(out, help.data, out->length - start);
    buffer_free(&help);
}

void options_help(struct buffer *out)
{
    buffer_puts(out,
                "Usage: precheck [OPTION]... FILE...\n"
                "Tell exactly what a cast to fp16, bf16 or fp8 does to tensors before it is done.\n"
                "FILE is a safetensors, PyTorch, NumPy or GGUF file, an index of shards, a\n"
                "directory of such files or, with --raw, bare elements; - is standard input.\n");
    for (int section = 0; section < SECTION_COUNT; section++) {
        buffer_printf(out, "\n%s:\n", section_titles[section]);
        for (int i = 0; i < OPTION_COUNT; i++)
            if ((int)option_rows[i].section == section)
                add_option(out, (enum option_id)i);
    }
    buffer_puts(out, "\nExit status: 0 all gates hold or there are none, 1 a gate failed, 2 "
                     "trouble.\n");
}

static void add_cast(struct options *options, const struct format *format)
{
    for (size_t c = 0; c < options->cast_count; c++)
        if (strcmp(options->casts[c].format.name, format->name) == 0)
            return; /* named twice: once is enough */
    options->casts = room_for_one(options->casts, options->cast_count, sizeof *options->casts);
    options->casts[options->cast_count++] = (struct cast){.format = *format};
}

static bool parse_to(struct options *options, const char *list, struct error *error)
{
    options->cast_count = 0;
    for (;;) {
        struct format formats[2];
        size_t length = strcspn(list, ","), count = format_find_all(list, length, formats, error);
        if (!count)
            return false;
        for (size_t i = 0; i < count; i++)
            add_cast(options, &formats[i]);
        if (!list[length])
            return true;
        list += length + 1;
    }
}

/* One of the words that the option takes. */
static bool parse_word(enum option_id id, const char *text, int *value, struct error *error)
{
    const struct word *words = option_words(option_rows[id].takes);
    struct buffer names = {0};
    for (; words->name; words++) {
        if (strcmp(words->name, text) == 0) {
            *value = words->value;
            buffer_free(&names);
            return true;
        }
        buffer_printf(&names, "%s%s", names.length ? ", " : "", words->name);
    }
    fail(error, "--%s: '%s' is none of %s", option_rows[id].name, text, names.data);
    buffer_free(&names);
    return false;
}

static bool parse_integer(const char *text, long low, long high, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return end != text && !isspace((unsigned char)*text) && !*end && !errno && *value >= low &&
           *value <= high;
}

static bool parse_scale(struct options *options, const char *text, int *scale, struct error *error)
{
    options->scale_text = text;
    options->scaling = strcmp(text, "amax") == 0 ? SCALING_AMAX : SCALING_FIXED;
    *scale = 0;
    if (options->scaling == SCALING_AMAX)
        return true;
    long k;
    if (strncmp(text, "2^", 2) != 0 || !parse_integer(text + 2, -SCALE_LIMIT, SCALE_LIMIT, &k))
        return fail(error, "--scale: '%s' is neither amax nor 2^K with K from %d to %d", text,
                    -SCALE_LIMIT, SCALE_LIMIT);
    *scale = (int)k;
    return true;
}

/* A finite number and nothing else. */
static bool parse_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && !isspace((unsigned char)*text) && !*end && isfinite(*value);
}

static bool parse_update_scale(struct options *options, const char *text, struct error *error)
{
    options->update_scale_text = text;
    if (!parse_number(text, &options->update_plan.scale) || options->update_plan.scale == 0)
        return fail(error, "--update-scale: '%s' is no number, or zero", text);
    return true;
}

static bool parse_ema(struct options *options, const char *text, struct error *error)
{
    double *beta = &options->update_plan.beta;
    struct number rest;
    options->ema_text = text;
    if (!parse_number(text, beta) || !(*beta >= 0 && *beta < 1))
        return fail(error, "--ema: '%s' is not a number from 0 to below 1", text);
    if (!number_add(number_from(1), number_from(-*beta), &rest))
        return fail(error, "--ema: '%s' is too near to 0", text);
    return true;
}

static bool parse_steps(struct options *options, const char *text, struct error *error)
{
    long steps;
    if (!parse_integer(text, 1, UINT32_MAX, &steps))
        return fail(error, "--steps: '%s' is not a number from 1 to %" PRIu32, text, UINT32_MAX);
    options->update_plan.steps = (uint64_t)steps;
    return true;
}

static bool no_kind(const char *kind, size_t length, struct error *error)
{
    struct buffer kinds = {0};
    add_kinds(&kinds, SIZE_MAX);
    fail(error, "--output: there is no kind '%.*s' (but %s)", (int)length, kind, kinds.data);
    buffer_free(&kinds);
    return false;
}

static bool add_output(struct options *options, const char *text, struct error *error)
{
    size_t length = strcspn(text, ":");
    char *kind = copy_bytes(text, length);
    const struct renderer *renderer = output_find(kind);
    free(kind);
    if (!renderer)
        return no_kind(text, length, error);
    const char *path = text[length] ? text + length + 1 : "-";
    if (!*path)
        return fail(error, "--output: '%s' names no file", text);
    for (size_t i = 0; i < options->output_count; i++)
        if (options->outputs[i].renderer == renderer && strcmp(options->outputs[i].path, path) == 0)
            return true; /* asked for twice: once is enough */
    if (options->output_count == OUTPUT_LIMIT)
        return fail(error, "more than %d outputs", OUTPUT_LIMIT);
    options->outputs[options->output_count++] = (struct output_request){renderer, path};
    return true;
}

/* What applies to all casts, until the list of formats is known. */
struct common {
    enum rounding rounding;
    int saturate;
    int scale;
    const char *isa;
    bool given[OPTION_COUNT];
};

static bool take(struct options *options, struct common *common, enum option_id id,
                 const char *argument, struct error *error)
{
    long number;
    int word;
    common->given[id] = true;
    switch (id) {
    case OPTION_RAW:
        options->has_raw = true;
        options->raw_text = argument;
        return raw_layout_parse(argument, &options->raw, error);
    case OPTION_VIEW:
        options->has_view = true;
        options->view_text = argument;
        return dtype_find(argument, strlen(argument), &options->view, error);
    case OPTION_SELECT:
        return selection_add(&options->selection, argument, PATTERN_SELECT, error);
    case OPTION_EXCLUDE:
        return selection_add(&options->selection, argument, PATTERN_EXCLUDE, error);
    case OPTION_TO:
        return parse_to(options, argument, error);
    case OPTION_ROUND:
        return rounding_parse(argument, &common->rounding, &options->seed, error);
    case OPTION_OVERFLOW:
        return parse_word(id, argument, &common->saturate, error);
    case OPTION_SCALE:
        return parse_scale(options, argument, &common->scale, error);
    case OPTION_UPDATE:
        options->update = argument;
        options->update_is_number = parse_number(argument, &options->update_value);
        return *argument ? true : fail(error, "--update names no file");
    case OPTION_UPDATE_SCALE:
        return parse_update_scale(options, argument, error);
    case OPTION_EMA:
        return parse_ema(options, argument, error);
    case OPTION_STEPS:
        return parse_steps(options, argument, error);
    case OPTION_REFERENCE:
        options->reference = true;
        return true;
    case OPTION_WRITE:
        options->write = argument;
        return *argument ? true : fail(error, "--write names no file");
    case OPTION_KEEP:
        return selection_add(&options->selection, argument, PATTERN_KEEP, error);
    case OPTION_JSON:
        return add_output(options, "json", error);
    case OPTION_NDJSON:
        return add_output(options, "ndjson", error);
    case OPTION_CSV:
        return add_output(options, "csv", error);
    case OPTION_OUTPUT:
        return add_output(options, argument, error);
    case OPTION_QUIET:
        options->quiet = true;
        return true;
    case OPTION_VERBOSE:
        options->verbose = true;
        return true;
    case OPTION_TOP:
        if (!parse_integer(argument, 0, LONG_MAX, &number))
            return fail(error, "--top: '%s' is not a number from 0 on", argument);
        options->top = (size_t)number;
        return true;
    case OPTION_SORT:
        if (!parse_word(id, argument, &word, error))
            return false;
        options->order = (enum ranking_order)word;
        return true;
    case OPTION_COLOR:
        if (!parse_word(id, argument, &word, error))
            return false;
        options->colour = (enum when)word;
        return true;
    case OPTION_PROGRESS:
        if (!parse_word(id, argument, &word, error))
            return false;
        options->progress = (enum when)word;
        return true;
    case OPTION_FAIL_ON:
        return gate_parse(argument, &options->gates, error);
    case OPTION_POLICY:
        options->policy = argument;
        return *argument ? true : fail(error, "--policy names no file");
    case OPTION_EXIT_ZERO:
        options->exit_zero = true;
        return true;
    case OPTION_THREADS:
        if (!parse_integer(argument, 1, THREAD_LIMIT, &number))
            return fail(error, "--threads: '%s' is not a number from 1 to %d", argument,
                        THREAD_LIMIT);
        options->threads = (unsigned)number;
        return true;
    case OPTION_ISA:
        common->isa = argument;
        return true;
    case OPTION_LIST:
        options->action = ACTION_LIST;
        return true;
    case OPTION_FORMATS:
        options->action = ACTION_FORMATS;
        return true;
    case OPTION_COMPLETION:
        if (!parse_word(id, argument, &word, error))
            return false;
        options->action = ACTION_COMPLETION;
        options->shell = (enum shell)word;
        return true;
    case OPTION_VERSION:
        options->action = ACTION_VERSION;
        return true;
    case OPTION_HELP:
        options->action = ACTION_HELP;
        return true;
    case OPTION_COUNT:
        break;
    }
    return false;
}

/* The text report is printed unless something else takes its place. */
static bool settle_outputs(struct options *options, struct error *error)
{
    size_t printed = options->write && file_is_standard_output(options->write);
    for (size_t i = 0; i < options->output_count; i++)
        printed += file_is_standard_output(options->outputs[i].path);
    if (printed > 1)
        return fail(error, "two outputs to one standard output");
    if (!printed && !options->quiet) {
        if (options->output_count == OUTPUT_LIMIT)
            return fail(error, "more than %d outputs", OUTPUT_LIMIT);
        return add_output(options, "text", error);
    }
    return true;
}

static bool settle_updates(struct options *options, struct error *error)
{
    struct update_plan *plan = &options->update_plan;
    if (options->update)
        plan->rule = UPDATE_ADD;
    else if (options->update_scale_text || options->update_plan.steps)
        return fail(error, "--update-scale and --steps need --update");
    if (options->ema_text && options->update_plan.steps)
        return fail(error, "--steps does not go with --ema");
    if (options->ema_text)
        plan->rule = UPDATE_EMA;
    if (plan->scale == 0)
        plan->scale = 1;
    if (options->order == ORDER_LOST && plan->rule == UPDATE_NONE)
        return fail(error, "--sort lost needs --update or --ema");
    return true;
}

static bool settle_policy(struct options *options, struct error *error)
{
    struct error why;
    return !options->policy || policy_load(options->policy, &options->gates, &why) ||
           fail(error, "%s: %s", options->policy, why.text);
}

static bool has_effect(enum option_use use, enum action action)
{
    return use == USE_ALL || action == ACTION_RUN || (use == USE_LIST && action == ACTION_LIST);
}

/* Nobody who asks for help or the version is turned away. */
static bool settle_action(enum action action, const bool given[OPTION_COUNT], struct error *error)
{
    bool listing = action == ACTION_LIST;
    if (!listing && action != ACTION_FORMATS)
        return true;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (given[i] && !has_effect(option_rows[i].use, action))
            return fail(error, "--%s does not go with --%s%s", option_rows[i].name,
                        option_rows[listing ? OPTION_LIST : OPTION_FORMATS].name,
                        listing ? ", which reads no elements" : "");
    return true;
}

/* Without the elements some kinds have nothing to say. */
static bool settle_listing(const struct options *options, struct error *error)
{
    for (size_t i = 0; i < options->output_count; i++)
        if (!options->outputs[i].renderer->list)
            return fail(error, "--list has no output of kind %s",
                        options->outputs[i].renderer->kind);
    return true;
}

static bool settle(struct options *options, const struct common *common, struct error *error)
{
    if (!*options->files)
        return fail(error, "no file given (--help tells how to use this)");
    if (!options->casts && !parse_to(options, "fp16,bf16,fp8", error))
        return false;
    for (size_t c = 0; c < options->cast_count; c++) {
        options->casts[c].rounding = common->rounding;
        options->casts[c].saturate = common->saturate;
        options->casts[c].scale = common->scale;
    }
    if (options->write && options->cast_count != 1)
        return fail(error, "--write needs exactly one format in --to");
    if (options->has_raw && options->has_view)
        return fail(error, "--raw names the type of the elements: --view would name it again");
    if (options->action == ACTION_LIST && !settle_listing(options, error))
        return false;
    if (!settle_updates(options, error) || !settle_policy(options, error))
        return false;
    const char *isa = getenv("PRECHECK_ISA");
    if (!isa || !*isa)
        isa = "auto";
    return kernel_find(common->isa ? common->isa : isa, &options->kernel, error) &&
           settle_outputs(options, error);
}

/* How many long options begin like this one. */
static int candidates(const char *word)
{
    int count = 0;
    size_t length = strcspn(word, "=");
    for (int i = 0; i < OPTION_COUNT; i++)
        count += strncmp(option_rows[i].name, word, length) == 0;
    return count;
}

/* getopt_long tells in optopt what the trouble is about: a letter; the number of a long option that
 * is there, with an argument too many or too few; 0 for a long option that is not. */
static bool bad_option(const char *word, int about, bool missing, struct error *error)
{
    const char *what = "is not an option (--help lists them)";
    if (missing)
        what = "needs an argument";
    else if (about >= LONG_BASE)
        what = "takes no argument";
    else if (about == 0 && candidates(word + 2) > 1)
        what = "may be any of several options";
    if (about != 0 && about < LONG_BASE)
        return fail(error, "-%c %s", about, what);
    return fail(error, "%s %s", word, what);
}

bool options_parse(int argc, char **argv, struct options *options, struct error *error)
{
    struct option table[OPTION_COUNT + 1] = {0};
    char letters[2 * OPTION_COUNT + 2] = ":"; /* first: a missing argument is told apart */
    size_t letter_count = 1;
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        table[i] = (struct option){row->name, row->argument ? required_argument : no_argument, NULL,
                                   LONG_BASE + i};
        if (!row->letter)
            continue;
        letters[letter_count++] = row->letter;
        if (row->argument)
            letters[letter_count++] = ':';
    }

    *options = (struct options){.top = TOP_DEFAULT};
    struct common common = {.rounding = ROUND_NEAREST_EVEN};
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
        if (got == '?' || got == ':')
            return bad_option(argv[optind - 1], optopt, got == ':', error);
        int id = got - LONG_BASE;
        for (int i = 0; got < LONG_BASE && i < OPTION_COUNT; i++)
            if (option_rows[i].letter == got)
                id = i;
        if (!take(options, &common, (enum option_id)id, optarg, error))
            return false;
    }
    options->files = argv + optind;
    options->file_count = (size_t)(argc - optind);
    if (!settle_action(options->action, common.given, error))
        return false;
    return (options->action != ACTION_RUN && options->action != ACTION_LIST) ||
           settle(options, &common, error);
}

void options_free(struct options *options)
{
    selection_free(&options->selection);
    free(options->casts);
    gates_free(&options->gates);
}
