/* All tensors in one picture: where the magnitudes of each lie, beside what the formats can hold,
 * and how each fares in each format. The first ones, of which the names are told, have lines of
 * their own; of very many several share one. */
#include "output/html/html.h"

#include <stdlib.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"

enum {
    FORMATS_MOST = 8, /* the style has rules for as many */
    NAMED_MOST = 40,
    LINE = 18,   /* pixels that one with a name takes */
    BAR = 20,    /* that one of the formats does */
    CELL = 22,   /* the width of one in the columns of the formats */
    LETTER = 7,  /* of their names */
    DENSE = 320, /* for all without a name */
    DENSE_LINE_MOST = 8,
    MARGIN = 2, /* binades on either side */
    NEAR = 12,  /* and as far away limits are shown too */
    TICK_MOST = 12,
    SHADES = 4
};

/* From how small a share of the elements on a binade gets the next darker shade. */
static const double shade_shares[SHADES] = {0, 0.001, 0.01, 0.1};

struct map {
    struct html *html;
    size_t formats;
    size_t named;        /* tensors */
    size_t lines, group; /* those without a name: so many lines, of so many tensors each */
    int line;            /* pixels */
    int first, last;     /* binades of the picture */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int clip(const struct map *map, int k)
{
    return k < map->first ? map->first : k > map->last + 1 ? map->last + 1 : k;
}

/* The binades from which on elements are subnormal, are normal, and overflow. */
enum { SUBNORMAL, NORMAL, OVERFLOW, LIMITS };

struct limits {
    int at[LIMITS];
};

static struct limits limits_of(const struct report_cast *cast)
{
    const struct format *format = &cast->cast->format;
    return (struct limits){{format->emin - format->precision + 1 - cast->scale,
                            format->emin - cast->scale, format->emax + 1 - cast->scale}};
}

/* Makes room for a limit that lies just outside. */
static void include(struct map *map, int limit)
{
    const struct histogram *all = &map->html->report->total.exponents;
    int first = all->first, last = first + (int)all->length - 1;
    if (limit <= first && limit > first - NEAR && limit - MARGIN < map->first)
        map->first = limit - MARGIN;
    if (limit > last && limit < last + NEAR && limit + MARGIN > map->last)
        map->last = limit + MARGIN;
}

/* Those of all tensors, and some on either side. */
static bool find_binades(struct map *map)
{
    const struct report *report = map->html->report;
    const struct histogram *all = &report->total.exponents;
    if (all->length == 0)
        return false;
    map->first = all->first - MARGIN;
    map->last = all->first + (int)all->length - 1 + MARGIN;
    for (size_t c = 0; c < map->formats; c++)
        for (int i = 0; i < LIMITS && !report->total.casts[c].scale_varies; i++)
            include(map, limits_of(&report->total.casts[c]).at[i]);
    return true;
}

static void lay_out(struct map *map)
{
    const struct html *html = map->html;
    size_t count = html->report->tensor_count;
    map->named = least(least(html->shown, NAMED_MOST), count);
    size_t rest = count - map->named;
    map->group = (rest + DENSE - 1) / DENSE;
    map->lines = rest ? (rest + map->group - 1) / map->group : 0;
    map->line = (int)least(DENSE_LINE_MOST, rest ? DENSE / map->lines : 0);
}

static int named_height(const struct map *map)
{
    return (int)map->named * LINE;
}

static int height(const struct map *map)
{
    int dense = (int)map->lines * map->line;
    return named_height(map) + (dense ? LINE / 2 + dense : 0);
}

/* Stretched to the width that there is: one unit is one binade. */
static void open_plot(const struct map *map, int height, const char *label)
{
    buffer_printf(map->html->out,
                  "<svg class=\"plot\" viewBox=\"%d 0 %d %d\" height=\"%d\" "
                  "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\">\n",
                  map->first, map->last + 1 - map->first, height, height, label);
}

static void rectangle(const struct map *map, const char *class, int from, int to, int y, int height)
{
    from = clip(map, from);
    to = clip(map, to);
    if (from < to)
        buffer_printf(map->html->out,
                      "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", class,
                      from, y, to - from, height);
}

/* "fp16: subnormal from 2^-24, normal from 2^-14, largest 65,504" */
static void add_limits(struct buffer *out, const struct report_cast *cast)
{
    struct limits limits = limits_of(cast);
    buffer_puts(out, cast->cast->format.name);
    if (cast->scale_varies) {
        buffer_puts(out, ": the scale varies");
        return;
    }
    buffer_puts(out, ": subnormal from ");
    number_exponent(out, limits.at[SUBNORMAL]);
    buffer_puts(out, ", normal from ");
    number_exponent(out, limits.at[NORMAL]);
    buffer_puts(out, ", largest ");
    text_largest(out, cast);
}

/* The radio buttons choose whose limits are drawn through all lines; the style knows them by
 * their ids. */
static void format_names(const struct map *map)
{
    const struct report *report = map->html->report;
    buffer_puts(map->html->out, "<fieldset class=\"formats\"><legend>limits drawn</legend>\n");
    for (size_t c = 0; c < map->formats; c++)
        buffer_printf(
            map->html->out,
            "<label><input type=\"radio\" name=\"limits\" id=\"limits-%zu\"%s> %s</label>\n", c,
            c ? "" : " checked", report->casts[c].format.name);
    buffer_puts(map->html->out, "</fieldset>\n");
}

static void format_bars(const struct map *map)
{
    const struct report *report = map->html->report;
    open_plot(map, (int)map->formats * BAR, "what each format can hold");
    for (size_t c = 0; c < map->formats; c++) {
        const struct report_cast *cast = &report->total.casts[c];
        struct limits limits = limits_of(cast);
        int y = (int)c * BAR;
        buffer_puts(map->html->out, "<g><title>");
        add_limits(map->html->out, cast);
        buffer_puts(map->html->out, "</title>");
        rectangle(map, "room", map->first, map->last + 1, y, BAR);
        if (!cast->scale_varies) {
            rectangle(map, "subnormal", limits.at[SUBNORMAL], limits.at[NORMAL], y + 5, BAR - 10);
            rectangle(map, "normal", limits.at[NORMAL], limits.at[OVERFLOW], y + 5, BAR - 10);
        }
        buffer_puts(map->html->out, "</g>\n");
    }
    buffer_puts(map->html->out, "</svg>\n");
}

static void format_columns(const struct map *map)
{
    const struct report *report = map->html->report;
    size_t longest = 0;
    for (size_t c = 0; c < map->formats; c++) {
        size_t length = strlen(report->casts[c].format.name);
        longest = length > longest ? length : longest;
    }
    int height = (int)longest * LETTER + 4;
    buffer_printf(map->html->out,
                  "<svg class=\"titles\" width=\"%zu\" height=\"%d\" aria-hidden=\"true\">",
                  map->formats * CELL, height);
    for (size_t c = 0; c < map->formats; c++)
        buffer_printf(map->html->out, "<text transform=\"translate(%d %d) rotate(-90)\">%s</text>",
                      (int)c * CELL + CELL / 2 + 4, height - 2, report->casts[c].format.name);
    buffer_puts(map->html->out, "</svg>\n");
}

/* What the labels begin and end with alike, up to a dot or slash: it stands back, so that what
 * tells them apart is seen. */
struct alike {
    size_t before, after;
};

static size_t alike_before(const char *one, const char *other, size_t most)
{
    size_t length = 0, part = 0;
    while (length < most && one[length] && one[length] == other[length])
        if (strchr("./", one[length++]))
            part = length;
    return part;
}

static size_t alike_after(const char *one, const char *other, size_t most)
{
    size_t length = 0, part = 0, end = strlen(one), others = strlen(other);
    while (length < most && length < end && length < others &&
           one[end - 1 - length] == other[others - 1 - length])
        if (strchr("./", one[end - ++length]))
            part = length;
    return part;
}

static struct buffer label_at(const struct map *map, size_t place)
{
    const struct ranking *ranking = &map->html->ranking;
    struct buffer label = {0};
    text_short_label(&label, ranking, &ranking->report->tensors[ranking->order[place]]);
    return label;
}

static struct alike find_alike(const struct map *map)
{
    struct buffer first = label_at(map, 0);
    struct alike alike = {first.length, first.length};
    for (size_t i = 1; i < map->named; i++) {
        struct buffer label = label_at(map, i);
        alike.before = alike_before(first.data, label.data, alike.before);
        alike.after = alike_after(first.data, label.data, alike.after);
        buffer_free(&label);
    }
    if (map->named < 2 || alike.before + alike.after >= first.length)
        alike = (struct alike){0};
    buffer_free(&first);
    return alike;
}

static void add_part(const struct map *map, const char *class, const char *label, size_t length)
{
    char *part = copy_bytes(label, length);
    buffer_printf(map->html->out, "<tspan class=\"%s\">", class);
    escape_markup(map->html->out, part);
    buffer_puts(map->html->out, "</tspan>");
    free(part);
}

static void add_name(const struct map *map, size_t place, const struct alike *alike)
{
    struct buffer label = label_at(map, place);
    size_t own = label.length - alike->before;
    own -= alike->after < own ? alike->after : 0;
    if (alike->before)
        add_part(map, "alike", label.data, alike->before);
    add_part(map, "own", label.data + alike->before, own);
    if (alike->before + own < label.length)
        add_part(map, "alike", label.data + alike->before + own,
                 label.length - alike->before - own);
    buffer_free(&label);
}

static void named_names(const struct map *map)
{
    struct html *html = map->html;
    struct alike alike = find_alike(map);
    buffer_printf(html->out,
                  "<svg class=\"names\" height=\"%d\" role=\"list\" "
                  "aria-label=\"the first tensors of the table\">\n",
                  height(map));
    for (size_t i = 0; i < map->named; i++) {
        size_t tensor = html->ranking.order[i];
        buffer_printf(html->out,
                      "<a href=\"#t%zu\" role=\"listitem\"><text x=\"100%%\" y=\"%d\" "
                      "text-anchor=\"end\">",
                      tensor, (int)i * LINE + 13);
        add_name(map, i, &alike);
        buffer_puts(html->out, "</text></a>\n");
    }
    if (map->lines) {
        buffer_printf(html->out, "<text class=\"note\" x=\"100%%\" y=\"%d\" text-anchor=\"end\">",
                      named_height(map) + LINE / 2 + 12);
        number_count(html->out, html->report->tensor_count - map->named);
        buffer_puts(html->out, " more");
        buffer_puts(html->out, "</text>\n");
    }
    buffer_puts(html->out, "</svg>\n");
}

static int shade_of(uint64_t count, uint64_t whole)
{
    int shade = 0;
    for (int i = 0; i < SHADES; i++)
        if ((double)count >= shade_shares[i] * (double)whole)
            shade = i;
    return shade;
}

/* The binades of the shade as boxes of a path; neighbours are one. */
static void add_boxes(struct buffer *out, const struct histogram *sum, uint64_t whole, int shade,
                      int y, int height)
{
    for (size_t i = 0, run; i < sum->length; i += run) {
        for (run = 0; i + run < sum->length; run++)
            if (!sum->counts[i + run] || shade_of(sum->counts[i + run], whole) != shade)
                break;
        if (run)
            buffer_printf(out, "M%d %dh%zuv%dh-%zuz", sum->first + (int)i, y, run, height, run);
        else
            run = 1;
    }
}

/* The magnitudes of `count` tensors from place `first` on, in the binades of the whole. */
static uint64_t add_up(const struct map *map, size_t first, size_t count, struct histogram *sum)
{
    const struct report *report = map->html->report;
    uint64_t whole = 0;
    memset(sum->counts, 0, sum->length * sizeof *sum->counts);
    for (size_t i = first; i < first + count && i < report->tensor_count; i++) {
        struct report_figures room = {0};
        const struct report_figures *figures =
            report_figures_of(report, &report->tensors[map->html->ranking.order[i]], &room);
        const struct histogram *one = &figures->exponents;
        for (size_t k = 0; k < one->length; k++) {
            sum->counts[(size_t)(one->first - sum->first) + k] += one->counts[k];
            whole += one->counts[k];
        }
        report_figures_done(report, &room);
    }
    return whole;
}

/* A line into the path of each shade. */
static void add_line(const struct map *map, size_t first, size_t count, int y, int height,
                     struct histogram *sum, struct buffer paths[SHADES])
{
    uint64_t whole = add_up(map, first, count, sum);
    for (int shade = 0; shade < SHADES; shade++)
        add_boxes(&paths[shade], sum, whole, shade, y, height);
}

static void zones_of(const struct map *map, const struct report_cast *cast, int y, int height)
{
    struct limits limits = limits_of(cast);
    rectangle(map, "zone under", map->first, limits.at[SUBNORMAL], y, height);
    rectangle(map, "zone subnormal", limits.at[SUBNORMAL], limits.at[NORMAL], y, height);
    rectangle(map, "zone over", limits.at[OVERFLOW], map->last + 1, y, height);
}

/* Where tensors have scales of their own, so are the limits of each line. */
static void zones_of_lines(const struct map *map, size_t cast)
{
    const struct report *report = map->html->report;
    for (size_t i = 0; i < map->named; i++) {
        struct report_figures room = {0};
        const struct report_tensor *tensor = &report->tensors[map->html->ranking.order[i]];
        const struct report_figures *figures = report_figures_of(report, tensor, &room);
        zones_of(map, &figures->casts[cast], (int)i * LINE + 1, LINE - 2);
        report_figures_done(report, &room);
    }
}

/* The limits of the formats through all lines, of which the style shows one. */
static void zones(const struct map *map)
{
    const struct report *report = map->html->report;
    for (size_t c = 0; c < map->formats; c++) {
        const struct report_cast *cast = &report->total.casts[c];
        buffer_printf(map->html->out, "<g class=\"zones of-%zu\">", c);
        if (cast->scale_varies)
            zones_of_lines(map, c);
        else
            zones_of(map, cast, 0, height(map));
        buffer_puts(map->html->out, "</g>\n");
    }
}

static void magnitudes(const struct map *map)
{
    const struct histogram *all = &map->html->report->total.exponents;
    struct buffer paths[SHADES] = {{0}};
    struct histogram sum = {.first = all->first, .length = all->length};
    sum.counts = allocate(sum.length, sizeof *sum.counts);
    for (size_t i = 0; i < map->named; i++)
        add_line(map, i, 1, (int)i * LINE + 4, LINE - 8, &sum, paths);
    for (size_t i = 0; i < map->lines; i++)
        add_line(map, map->named + i * map->group, map->group,
                 named_height(map) + LINE / 2 + (int)i * map->line, map->line, &sum, paths);
    open_plot(map, height(map), "the magnitudes of each tensor, as in the table");
    zones(map);
    for (int shade = 0; shade < SHADES; shade++) {
        if (paths[shade].length)
            buffer_printf(map->html->out, "<path class=\"shade-%d\" d=\"%s\"/>\n", shade,
                          paths[shade].data);
        buffer_free(&paths[shade]);
    }
    buffer_puts(map->html->out, "</svg>\n");
    free(sum.counts);
}

/* The more there is to see to, the wider: colour is not all that tells. */
static int width_of(enum ink ink)
{
    return ink == INK_BAD ? CELL - 4 : ink == INK_WARN ? CELL / 2 : 2;
}

static void named_cells(const struct map *map, size_t place)
{
    struct html *html = map->html;
    size_t tensor = html->ranking.order[place];
    struct buffer label = label_at(map, place);
    for (size_t c = 0; c < map->formats; c++) {
        struct buffer text = {0};
        enum ink ink = html_standing(&text, html, tensor, c);
        size_t mark = strcspn(text.data, " ");
        buffer_printf(html->out, "<text class=\"%s\" x=\"%d\" y=\"%d\"><title>", html_ink(ink),
                      (int)c * CELL + CELL / 2, (int)place * LINE + 13);
        escape_markup(html->out, label.data);
        buffer_printf(html->out, " in %s: %s</title>%.*s</text>",
                      html->report->casts[c].format.name, text.data + mark + 1, (int)mark,
                      text.data);
        buffer_free(&text);
    }
    buffer_puts(html->out, "\n");
    buffer_free(&label);
}

/* How the worst of each line fares. */
static enum ink line_ink(const struct map *map, size_t line, size_t cast)
{
    const struct html *html = map->html;
    size_t first = map->named + line * map->group;
    enum ink worst = INK_GOOD;
    for (size_t i = first; i < first + map->group && i < html->report->tensor_count; i++) {
        enum ink ink = html_standing(NULL, html, html->ranking.order[i], cast);
        if (ink == INK_BAD || (ink == INK_WARN && worst == INK_GOOD))
            worst = ink;
    }
    return worst;
}

/* Lines that look alike follow each other: one box each. */
static void dense_cells(const struct map *map, size_t cast)
{
    int top = named_height(map) + LINE / 2;
    enum ink ink = map->lines ? line_ink(map, 0, cast) : INK_GOOD, next = ink;
    for (size_t i = 0, run; i < map->lines; i += run, ink = next) {
        for (run = 1; i + run < map->lines && next == ink; run += next == ink)
            next = line_ink(map, i + run, cast);
        buffer_printf(map->html->out,
                      "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
                      html_ink(ink), (int)cast * CELL + CELL / 2 - width_of(ink) / 2,
                      top + (int)i * map->line, width_of(ink), (int)run * map->line);
    }
}

static void standings(const struct map *map)
{
    buffer_printf(map->html->out,
                  "<svg class=\"standings\" width=\"%zu\" height=\"%d\" role=\"img\" "
                  "aria-label=\"how each tensor fares in each format\">\n",
                  map->formats * CELL, height(map));
    for (size_t i = 0; i < map->named; i++)
        named_cells(map, i);
    for (size_t c = 0; c < map->formats; c++)
        dense_cells(map, c);
    buffer_puts(map->html->out, "</svg>\n");
}

/* Powers of two at even distances. */
static void axis(const struct map *map)
{
    int binades = map->last + 1 - map->first, step = 1;
    while (binades / step > TICK_MOST / 2)
        step *= 2;
    buffer_puts(map->html->out, "<svg class=\"axis\" height=\"18\" aria-hidden=\"true\">");
    for (int k = map->first; k <= map->last; k++)
        if (k % step == 0)
            buffer_printf(map->html->out,
                          "<text x=\"%d.%02d%%\" y=\"13\" text-anchor=\"middle\">2<tspan dy=\"-4\">"
                          "%d</tspan></text>",
                          (k - map->first) * 100 / binades,
                          (k - map->first) * 10000 / binades % 100, k);
    buffer_puts(map->html->out, "</svg>\n");
}

static bool scale_varies(const struct map *map)
{
    bool varies = false;
    for (size_t c = 0; c < map->formats; c++)
        varies = varies || map->html->report->total.casts[c].scale_varies;
    return varies;
}

static void caption(const struct map *map)
{
    struct buffer *out = map->html->out;
    buffer_puts(
        out, "<figcaption>Each line is a tensor, drawn where the magnitudes of its elements lie: "
             "the darker, the more. Beside it how it fares in each format: <b class=\"bad\">▲"
             "</b>&nbsp;overflow, <b class=\"warn\">◆</b>&nbsp;NaN or Inf, <b class=\"bad\">▼</b>"
             "&nbsp;underflow to zero");
    if (map->html->report->has_group[GROUP_EMA])
        buffer_puts(out, ", <b class=\"bad\">✕</b>&nbsp;averages stuck");
    else if (map->html->report->has_group[GROUP_UPDATE])
        buffer_puts(out, ", <b class=\"bad\">✕</b>&nbsp;updates lost");
    buffer_puts(out, ", <b class=\"good\">✓</b>&nbsp;none of these. The shaded zones are where the "
                     "chosen format overflows, is subnormal and flushes to zero.");
    if (scale_varies(map))
        buffer_puts(out, " They differ, as each tensor has a scale of its own; the thin lines and "
                         "the formats are without them.");
    if (map->group > 1) {
        buffer_puts(out, " Below the first ones a line is ");
        number_count(out, map->group);
        buffer_puts(out, " tensors together and tells how the worst of them fares.");
    } else if (map->lines) {
        buffer_puts(out, " Below the first ones the lines are thin, and the wider the mark the "
                         "worse.");
    }
    if (map->formats < map->html->report->cast_count) {
        buffer_puts(out, " Of the formats, the first ");
        number_count(out, map->formats);
        buffer_puts(out, " are drawn.");
    }
    buffer_puts(out, "</figcaption>\n");
}

void html_map(struct html *html)
{
    struct map map = {.html = html, .formats = least(html->report->cast_count, FORMATS_MOST)};
    if (!find_binades(&map))
        return;
    lay_out(&map);
    buffer_puts(html->out, "<section id=\"map\" aria-labelledby=\"map-title\">\n<h2 "
                           "id=\"map-title\">At a glance</h2>\n<figure class=\"map\">\n");
    format_names(&map);
    format_bars(&map);
    format_columns(&map);
    named_names(&map);
    magnitudes(&map);
    standings(&map);
    axis(&map);
    caption(&map);
    buffer_puts(html->out, "</figure>\n</section>\n");
}
