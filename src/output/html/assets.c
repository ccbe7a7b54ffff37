/* The style and the script of the page; the Makefile gives their hashes. */
#include "base/embed.h"
#include "output/html/html.h"

EMBED(html_style, EMBEDDED("output/html/style.css"));
EMBED(html_script, EMBEDDED("output/html/charts.js") EMBEDDED("output/html/table.js"));

const char html_style_hash[] = HTML_STYLE_HASH;
const char html_script_hash[] = HTML_SCRIPT_HASH;
