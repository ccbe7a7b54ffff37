#include "cli/select.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/glob.h"

static const char *option_of(bool exclude)
{
    return exclude ? "--exclude" : "--select";
}

bool selection_add(struct selection *selection, const char *text, bool exclude, struct error *error)
{
    struct error why;
    if (!glob_valid(text, &why))
        return fail(error, "%s '%s': %s", option_of(exclude), text, why.text);
    selection->patterns =
        reallocate(selection->patterns, selection->count + 1, sizeof *selection->patterns);
    selection->patterns[selection->count++] = (struct pattern){.text = text, .exclude = exclude};
    return true;
}

void selection_free(struct selection *selection)
{
    free(selection->patterns);
    *selection = (struct selection){0};
}

/* Every pattern is tried, so that it is known of each whether it matches anything. */
static bool is_selected(struct selection *selection, const char *name)
{
    bool any_select = false, selected = false, excluded = false;
    for (size_t p = 0; p < selection->count; p++) {
        struct pattern *pattern = &selection->patterns[p];
        bool matches = glob_matches(pattern->text, name);
        pattern->matched |= matches;
        any_select |= !pattern->exclude;
        if (pattern->exclude)
            excluded |= matches;
        else
            selected |= matches;
    }
    return (selected || !any_select) && !excluded;
}

void selection_apply(struct selection *selection, struct input *input)
{
    size_t kept = 0;
    if (selection->count == 0)
        return;
    for (size_t t = 0; t < input->tensor_count; t++)
        if (is_selected(selection, input->tensors[t].name))
            input->tensors[kept++] = input->tensors[t];
        else
            tensor_free(&input->tensors[t]);
    input->tensor_count = kept;
    kept = 0;
    for (size_t s = 0; s < input->skipped_count; s++)
        if (is_selected(selection, input->skipped[s].name))
            input->skipped[kept++] = input->skipped[s];
        else
            skipped_free(&input->skipped[s]);
    input->skipped_count = kept;
}

bool selection_finish(const struct selection *selection, struct error *error)
{
    for (size_t p = 0; p < selection->count; p++)
        if (!selection->patterns[p].matched)
            return fail(error, "%s '%s' matches no tensor",
                        option_of(selection->patterns[p].exclude), selection->patterns[p].text);
    return true;
}
