#include "cli/run/select.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/glob.h"

static const char *const option_of[PATTERN_USES] = {"--select", "--exclude", "--keep"};

bool selection_add(struct selection *selection, const char *text, enum pattern_use use,
                   struct error *error)
{
    struct error why;
    if (!glob_valid(text, &why))
        return fail(error, "%s: %s", option_of[use], why.text);
    selection->patterns =
        room_for_one(selection->patterns, selection->count, sizeof *selection->patterns);
    selection->patterns[selection->count++] = (struct pattern){.text = text, .use = use};
    return true;
}

void selection_free(struct selection *selection)
{
    free(selection->patterns);
    *selection = (struct selection){0};
}

/* Whether a pattern of this use matches. Every one is tried, so that it is known of each whether it
 * matches anything; *any tells whether there is one at all. */
static bool matches(struct selection *selection, enum pattern_use use, const char *name, bool *any)
{
    bool matched = false;
    *any = false;
    for (size_t p = 0; p < selection->count; p++) {
        struct pattern *pattern = &selection->patterns[p];
        if (pattern->use != use)
            continue;
        *any = true;
        if (glob_matches(pattern->text, name))
            matched = pattern->matched = true;
    }
    return matched;
}

static bool is_selected(struct selection *selection, const char *name)
{
    bool any_select, any_exclude;
    bool selected = matches(selection, PATTERN_SELECT, name, &any_select);
    bool excluded = matches(selection, PATTERN_EXCLUDE, name, &any_exclude);
    return (selected || !any_select) && !excluded;
}

static bool is_kept(void *selection, const char *name)
{
    bool any;
    return matches(selection, PATTERN_KEEP, name, &any);
}

void selection_apply(struct selection *selection, struct input *input)
{
    size_t left = 0;
    if (selection->count == 0)
        return;
    for (size_t t = 0; t < input->tensor_count; t++)
        if (is_selected(selection, input->tensors[t].name))
            input->tensors[left++] = input->tensors[t];
        else
            tensor_free(&input->tensors[t]);
    input->tensor_count = left;
    left = 0;
    for (size_t s = 0; s < input->skipped_count; s++)
        if (is_selected(selection, input->skipped[s].name))
            input->skipped[left++] = input->skipped[s];
        else
            skipped_free(&input->skipped[s]);
    input->skipped_count = left;
    for (size_t s = 0; s < left; s++) /* what is skipped anyway is kept too, if so named */
        is_kept(selection, input->skipped[s].name);
    input_skip(input, is_kept, selection, "kept");
}

bool selection_finish(const struct selection *selection, struct error *error)
{
    for (size_t p = 0; p < selection->count; p++)
        if (!selection->patterns[p].matched)
            return fail(error, "%s '%s' matches no tensor", option_of[selection->patterns[p].use],
                        selection->patterns[p].text);
    return true;
}
