/* Embeds the style and the script of the page as they are; paths are from the top folder, where
 * make runs, which also gives the hashes. */
#include "output/html.h"

#define EMBED(name, files)                                                         \
    __asm__(".pushsection .rodata\n"                                               \
            ".global " #name ", " #name "_end\n" #name ":\n" files #name "_end:\n" \
            ".byte 0\n"                                                            \
            ".popsection\n")
#define FILE(name) ".incbin \"src/output/" name "\"\n"

EMBED(html_style, FILE("html_style.css"));
EMBED(html_script, FILE("html_charts.js") FILE("html_table.js"));

const char html_style_hash[] = HTML_STYLE_HASH;
const char html_script_hash[] = HTML_SCRIPT_HASH;
