#include "cli/run/referee.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "exact/reference.h"
#include "exact/reference_update.h"
#include "report/verify.h"

struct referee {
    const struct kernel *kernel;
    const struct decoder *decoder;
    const struct update_source *source;
    size_t cast_count;
    struct reference_input *input;
    struct reference **casts;
    struct reference_update **updates; /* NULL without updates */
    double *x, *g;                     /* UPDATES_AT_ONCE of each */
    size_t n;                          /* decoded so far */
};

static struct reference_update **new_updates(const struct update_plan *plan,
                                             const struct cast *casts, size_t count)
{
    const struct reference_update_plan wanted = {.average = plan->rule == UPDATE_EMA,
                                                 .scale = plan->scale,
                                                 .beta = plan->beta,
                                                 .steps = plan->steps,
                                                 .sample = plan->sample};
    struct reference_update **updates = allocate(count, sizeof *updates);
    for (size_t c = 0; c < count; c++)
        updates[c] = reference_update_new(&casts[c], &wanted);
    return updates;
}

struct referee *referee_new(const struct options *options, const struct decoder *decoder,
                            const struct update_source *updates, const struct cast *casts)
{
    struct referee *referee = allocate(1, sizeof *referee);
    referee->kernel = options->kernel;
    referee->decoder = decoder;
    referee->source = updates;
    referee->cast_count = options->cast_count;
    referee->input = reference_input_new();
    referee->casts = allocate(options->cast_count, sizeof *referee->casts);
    for (size_t c = 0; c < options->cast_count; c++)
        referee->casts[c] = reference_new(&casts[c]);
    if (updates->plan.rule != UPDATE_NONE)
        referee->updates = new_updates(&updates->plan, casts, options->cast_count);
    referee->x = allocate(UPDATES_AT_ONCE, sizeof *referee->x);
    referee->g = allocate(UPDATES_AT_ONCE, sizeof *referee->g);
    return referee;
}

static void note_elements(void *context, const double *x, size_t n)
{
    struct referee *referee = context;
    memcpy(referee->x + referee->n, x, n * sizeof *x);
    referee->n += n;
}

static void note_updates(void *context, const double *g, size_t n)
{
    struct referee *referee = context;
    memcpy(referee->g + referee->n, g, n * sizeof *g);
    referee->n += n;
}

static void decode_updates(struct referee *referee, const void *updates, size_t n)
{
    referee->n = 0;
    if (updates)
        kernel_decode(referee->kernel, &referee->source->decoder, updates, n, note_updates,
                      referee);
    while (referee->n < n)
        referee->g[referee->n++] = referee->source->value;
}

void referee_add(struct referee *referee, const void *elements, const void *updates, size_t n,
                 uint64_t first)
{
    referee->n = 0;
    kernel_decode(referee->kernel, referee->decoder, elements, n, note_elements, referee);
    reference_input_add(referee->input, referee->x, n);
    for (size_t c = 0; c < referee->cast_count; c++)
        reference_add(referee->casts[c], referee->x, n, first);
    if (!referee->updates)
        return;
    decode_updates(referee, updates, n);
    for (size_t c = 0; c < referee->cast_count; c++)
        reference_update_add(referee->updates[c], referee->x, referee->g, n, first);
}

/* Ends what was added; compares where there are figures. */
static bool finish(struct referee *referee, const struct report_figures *figures,
                   struct error *error)
{
    struct reference_input_figures input = reference_input_finish(referee->input);
    bool agreed = !figures || report_verify_input(figures, &input, error);
    reference_input_figures_free(&input);
    for (size_t c = 0; c < referee->cast_count; c++) {
        struct reference_figures cast = reference_finish(referee->casts[c]);
        struct reference_update_figures updates, *has_updates = NULL;
        if (referee->updates) {
            updates = reference_update_finish(referee->updates[c]);
            has_updates = &updates;
        }
        agreed =
            agreed && (!figures || report_verify(&figures->casts[c], &cast, has_updates, error));
        reference_figures_free(&cast);
    }
    free(referee->casts);
    free(referee->updates);
    referee->casts = NULL;
    return agreed;
}

bool referee_agrees(struct referee *referee, const struct report_figures *figures,
                    struct error *error)
{
    return finish(referee, figures, error);
}

void referee_free(struct referee *referee)
{
    if (!referee)
        return;
    if (referee->casts)
        finish(referee, NULL, NULL);
    free(referee->x);
    free(referee->g);
    free(referee);
}
