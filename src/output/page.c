#include "output/page.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "output/escape.h"

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40 };

struct page page_on(struct buffer *out, const struct style *style)
{
    int width = style->width == 0 ? WIDTH_DEFAULT : style->width;
    return (struct page){
        .out = out, .style = style, .width = width < WIDTH_LEAST ? WIDTH_LEAST : width};
}

const char *page_glyph(const struct page *page, const char *utf8, const char *ascii)
{
    return page->style->utf8 ? utf8 : ascii;
}

static void paint_bytes(struct page *page, enum ink ink, const char *text, size_t length)
{
    static const char *const codes[] = {
        [INK_PLAIN] = "",  [INK_TITLE] = "1", [INK_BAD] = "31",
        [INK_WARN] = "33", [INK_GOOD] = "32", [INK_DIM] = "2",
    };
    bool coloured = page->style->colour && ink != INK_PLAIN && length > 0;
    if (coloured)
        buffer_printf(page->out, "\033[%sm", codes[ink]);
    buffer_add(page->out, text, length);
    if (coloured)
        buffer_puts(page->out, "\033[0m");
}

void page_paint(struct page *page, enum ink ink, const char *text)
{
    paint_bytes(page, ink, text, strlen(text));
}

void page_pad(struct page *page, int columns)
{
    if (columns > 0)
        buffer_printf(page->out, "%*s", columns, "");
}

void page_end_line(struct page *page)
{
    struct buffer *out = page->out;
    while (out->length > 0 && out->data[out->length - 1] == ' ')
        out->length--;
    buffer_puts(out, "\n");
}

/* The bytes of `text` up to `width` columns, with the zero-width characters that follow. */
static size_t prefix(const char *text, int width)
{
    size_t bytes = 0;
    while (text[bytes]) {
        uint32_t character;
        size_t length = utf8_decode(text + bytes, &character);
        width -= length ? character_width(character) : 1;
        if (width < 0)
            break;
        bytes += length ? length : 1;
    }
    return bytes;
}

static void cut_middle(const struct page *page, struct buffer *out, const char *text, int width)
{
    int whole = text_width(text);
    if (whole <= width) {
        buffer_puts(out, text);
        return;
    }
    const char *ellipsis = page_glyph(page, "…", "...");
    int room = width - text_width(ellipsis);
    if (room < 2) {
        buffer_add(out, text, prefix(text, width));
        return;
    }
    buffer_add(out, text, prefix(text, room - room / 2));
    buffer_puts(out, ellipsis);
    /* The tail begins where no more than room / 2 columns are left. */
    const char *tail = text;
    for (int left = whole; left > room / 2;) {
        uint32_t character;
        size_t length = utf8_decode(tail, &character);
        left -= length ? character_width(character) : 1;
        tail += length ? length : 1;
    }
    buffer_puts(out, tail);
}

static void cell(struct page *page, enum ink ink, const char *text, int width, bool right)
{
    struct buffer fitting = {0};
    cut_middle(page, &fitting, text, width);
    int padding = width - text_width(fitting.data);
    if (right)
        page_pad(page, padding);
    page_paint(page, ink, fitting.data);
    if (!right)
        page_pad(page, padding);
    buffer_free(&fitting);
}

void page_left(struct page *page, enum ink ink, const char *text, int width)
{
    cell(page, ink, text, width, false);
}

void page_right(struct page *page, enum ink ink, const char *text, int width)
{
    cell(page, ink, text, width, true);
}

static struct places places_of(const char *number)
{
    int width = text_width(number), before = (int)strspn(number, "-0123456789,");
    bool goes_on = number[before] && strchr(".e^", number[before]);
    return goes_on ? (struct places){before, width - before} : (struct places){width, 0};
}

void places_widen(struct places *places, const char *number)
{
    struct places own = places_of(number);
    places->before = own.before > places->before ? own.before : places->before;
    places->after = own.after > places->after ? own.after : places->after;
}

void page_number(struct page *page, enum ink ink, const char *number, int width, int after)
{
    struct places own = places_of(number);
    int behind = after - own.after, room = width - own.before - own.after;
    behind = behind < room ? behind : room;
    behind = behind > 0 ? behind : 0;
    page_right(page, ink, number, width - behind);
    page_pad(page, behind);
}

static bool ends_with(const char *text, size_t length, const char *word)
{
    size_t own = strlen(word);
    return length >= own && strncmp(text + length - own, word, own) == 0;
}

/* A line may end before the space at `at`, but a number stays with its unit and its name. */
static bool is_break(const char *text, size_t at)
{
    const char *next = text + at + 1;
    return text[at] == ' ' && *next != '%' && strncmp(next, "dB", 2) != 0 &&
           !ends_with(text, at, "SQNR") && !ends_with(text, at, "(value");
}

/* The bytes of the next line: whole words where one fits, else as many characters as do. */
static size_t line_length(const char *text, int width)
{
    size_t fits = prefix(text, width);
    if (text[fits] == '\0')
        return fits;
    for (size_t at = fits; at > 0; at--)
        if (is_break(text, at))
            return at;
    /* One character at least, whatever the width. */
    uint32_t character;
    size_t first = utf8_decode(text, &character);
    return fits ? fits : first ? first : 1;
}

void page_paragraph(struct page *page, int column, enum ink ink, const char *text)
{
    text += strspn(text, " ");
    while (*text) {
        size_t length = line_length(text, page->width - column);
        paint_bytes(page, ink, text, length);
        page_end_line(page);
        text += length;
        text += strspn(text, " ");
        if (*text)
            page_pad(page, column);
    }
}

void page_rule(struct page *page, const char *title)
{
    const char *dash = page_glyph(page, "─", "-");
    page_paint(page, INK_DIM, dash);
    page_paint(page, INK_DIM, dash);
    page_pad(page, 1);
    struct buffer shown = {0};
    cut_middle(page, &shown, title, page->width - 6);
    page_paint(page, INK_TITLE, shown.data);
    page_pad(page, 1);
    struct buffer line = {0};
    for (int i = text_width(shown.data) + 4; i < page->width; i++)
        buffer_puts(&line, dash);
    page_paint(page, INK_DIM, line.data);
    page_end_line(page);
    buffer_free(&line);
    buffer_free(&shown);
}

void page_bar(struct page *page, enum ink ink, uint64_t part, uint64_t whole, int width)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int steps = page->style->utf8 ? 8 : 1;
    long length = whole ? lround((double)part / (double)whole * (double)(width * steps)) : 0;
    struct buffer bar = {0};
    buffer_puts(&bar, "");
    for (long i = 0; i < length / steps; i++)
        buffer_puts(&bar, page_glyph(page, "█", "#"));
    buffer_puts(&bar, eighths[length % steps]);
    if (part && length == 0)
        buffer_puts(&bar, page_glyph(page, eighths[1], "."));
    page_left(page, ink, bar.data, width);
    buffer_free(&bar);
}

void page_name(const struct page *page, struct buffer *out, const char *name, int width)
{
    if (page->verbatim) {
        name_shorten(out, name);
        return;
    }
    struct buffer printable = {0};
    escape_terminal(&printable, name, page->style->utf8);
    cut_middle(page, out, printable.data, width);
    buffer_free(&printable);
}

/* Of a line on which there may be colours. */
static int painted_width(const char *line, size_t length)
{
    struct buffer text = {0};
    buffer_puts(&text, "");
    for (size_t at = 0; at < length;) {
        size_t plain = 0;
        while (at + plain < length && line[at + plain] != '\033')
            plain++;
        buffer_add(&text, line + at, plain);
        at += plain;
        if (at < length)
            at += strcspn(line + at, "m") + 1;
    }
    int width = text_width(text.data);
    buffer_free(&text);
    return width;
}

static const char *add_line(struct page *page, const char *line, int *width)
{
    size_t length = strcspn(line, "\n");
    buffer_add(page->out, line, length);
    *width = painted_width(line, length);
    return line + length + (line[length] == '\n');
}

void page_beside(struct page *page, const struct buffer *left, int width,
                 const struct buffer *right)
{
    const char *one = left->length ? left->data : "", *other = right->length ? right->data : "";
    int used;
    while (*one || *other) {
        one = add_line(page, one, &used);
        if (*other) {
            page_pad(page, width - used);
            other = add_line(page, other, &used);
        }
        page_end_line(page);
    }
}
