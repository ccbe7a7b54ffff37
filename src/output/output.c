#include "output/output.h"

#include <string.h>

static const struct renderer *const renderers[] = {
    &renderer_text, &renderer_json,  &renderer_ndjson,     &renderer_csv,    &renderer_markdown,
    &renderer_html, &renderer_junit, &renderer_prometheus, &renderer_github, &renderer_names,
};

enum { RENDERER_COUNT = sizeof renderers / sizeof renderers[0] };

const struct renderer *output_find(const char *kind)
{
    for (size_t i = 0; i < RENDERER_COUNT; i++)
        if (strcmp(renderers[i]->kind, kind) == 0)
            return renderers[i];
    return NULL;
}

void output_begin(const struct renderer *renderer, struct sink *sink)
{
    if (renderer->begin)
        renderer->begin(&sink->text);
}

void output_rest(const struct renderer *renderer, const struct report *report, size_t rendered,
                 const struct style *style, struct sink *sink)
{
    for (size_t t = rendered; renderer->tensor && t < report->tensor_count && sink_goes_on(sink);
         t++)
        renderer->tensor(report, &report->tensors[t], &sink->text);
    if (renderer->render)
        renderer->render(report, style, sink);
}

const char *output_kind(size_t index)
{
    return index < RENDERER_COUNT ? renderers[index]->kind : NULL;
}
