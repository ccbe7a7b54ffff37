#include "input/inflate.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/buffer.h"

/* An archive may have very many members of which only the beginning is wanted. */
enum { PACKED_AT_ONCE = 16 << 10 };

struct inflater {
    struct input *input;
    const struct member *member;
    z_stream stream;
    uint64_t packed; /* bytes taken from the file */
    uint64_t bytes;  /* inflated */
    uint32_t crc;
    bool ended;
    unsigned char room[PACKED_AT_ONCE];
};

struct inflater *inflater_open(struct input *input, const struct member *member)
{
    struct inflater *inflater = allocate(1, sizeof *inflater);
    inflater->input = input;
    inflater->member = member;
    if (inflateInit2(&inflater->stream, -MAX_WBITS) != Z_OK)
        abort(); /* of memory: allocate() would have ended the program too */
    return inflater;
}

void inflater_close(struct inflater *inflater)
{
    inflateEnd(&inflater->stream);
    free(inflater);
}

static bool fail_early(struct error *error)
{
    return fail(error, "the deflated data end early");
}

static bool refill(struct inflater *inflater, struct error *error)
{
    uint64_t left = inflater->member->packed - inflater->packed;
    size_t count = left < PACKED_AT_ONCE ? (size_t)left : PACKED_AT_ONCE;
    if (!input_read(inflater->input, inflater->member->offset + inflater->packed, inflater->room,
                    count, error))
        return false;
    inflater->packed += count;
    inflater->stream.next_in = inflater->room;
    inflater->stream.avail_in = (uInt)count;
    return true;
}

/* Up to `count` bytes; fewer only where the data end. */
static bool inflate_some(struct inflater *inflater, unsigned char *to, size_t count, size_t *got,
                         struct error *error)
{
    z_stream *stream = &inflater->stream;
    stream->next_out = to;
    stream->avail_out = (uInt)count;
    while (stream->avail_out && !inflater->ended) {
        bool more = inflater->packed < inflater->member->packed;
        if (stream->avail_in == 0 && more && !refill(inflater, error))
            return false;
        int status = inflate(stream, Z_NO_FLUSH);
        if (status == Z_BUF_ERROR) /* there is room, so what lacks is data */
            return fail_early(error);
        if (status != Z_OK && status != Z_STREAM_END)
            return fail(error, "the deflated data are damaged");
        inflater->ended = status == Z_STREAM_END;
    }
    *got = count - stream->avail_out;
    inflater->crc = crc_add(inflater->crc, to, *got);
    inflater->bytes += *got;
    return true;
}

bool inflater_read(struct inflater *inflater, void *to, size_t count, struct error *error)
{
    enum { AT_ONCE = 256 << 10 }; /* still in the cache when the checksum comes by */
    unsigned char *at = to;
    if (count > inflater->member->bytes - inflater->bytes)
        return fail_early(error);
    while (count) {
        size_t part = count < AT_ONCE ? count : AT_ONCE, got;
        if (!inflate_some(inflater, at, part, &got, error))
            return false;
        if (got < part)
            return fail_early(error);
        at += part;
        count -= part;
    }
    return true;
}

bool inflater_finish(struct inflater *inflater, struct error *error)
{
    const struct member *member = inflater->member;
    unsigned char rest[4096];
    while (!inflater->ended) {
        size_t got;
        if (!inflate_some(inflater, rest, sizeof rest, &got, error))
            return false;
        if (inflater->bytes > member->bytes)
            break; /* of a bomb, no more than the archive says */
    }
    if (inflater->bytes != member->bytes)
        return fail(error, "the deflated data are not of %" PRIu64 " bytes as the archive says",
                    member->bytes);
    if (inflater->packed - inflater->stream.avail_in != member->packed)
        return fail(error, "the deflated data end before the member does");
    return crc_check(inflater->crc, member->crc, error);
}

uint32_t crc_add(uint32_t crc, const void *bytes, size_t count)
{
    /* Five times as fast as zlib's; of NULL it returns the checksum of nothing. */
    return count ? libdeflate_crc32(crc, bytes, count) : crc;
}

uint32_t crc_part(uint32_t crc, uint64_t count)
{
    return (uint32_t)crc32_combine64(crc, 0, (z_off64_t)count);
}

bool crc_check(uint32_t crc, uint32_t expected, struct error *error)
{
    return crc == expected ||
           fail(error, "the data are damaged: their CRC-32 is %08" PRIx32 ", not %08" PRIx32, crc,
                expected);
}
