/* Files of the source folder in the program, as they are. Make runs in the top folder, where the
 * paths start, and rebuilds what embeds a file that changed (the Makefile names them). */
#ifndef PRECHECK_BASE_EMBED_H
#define PRECHECK_BASE_EMBED_H

#define EMBEDDED(path) ".incbin \"src/" path "\"\n"
/* Defines the characters `name` .. `name`_end, and a zero after them: extern const char name[],
 * name_end[]. */
#define EMBED(name, files)                                                         \
    __asm__(".pushsection .rodata\n"                                               \
            ".global " #name ", " #name "_end\n" #name ":\n" files #name "_end:\n" \
            ".byte 0\n"                                                            \
            ".popsection\n")

#endif
