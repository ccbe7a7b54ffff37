/* NumPy's .npz: a zip archive of .npy members. PyTorch's files are zip archives too. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "input/container.h"
#include "input/inflate.h"
#include "input/npy.h"
#include "input/torch.h"
#include "input/zip.h"

static const char suffix[] = ".npy"; /* of a member that is an array */

/* What of all members is told once. */
struct remarks {
    const char *note;  /* the last one */
    size_t with_tails; /* members with bytes after their data */
};

/* Where the elements are gets known when the header has been read. */
static struct member *new_member(const struct zip_member *from, uint64_t offset)
{
    struct member *member = allocate(1, sizeof *member);
    *member = (struct member){.offset = offset,
                              .packed = from->packed,
                              .bytes = from->bytes,
                              .crc = from->crc,
                              .deflated = from->method == ZIP_DEFLATED};
    return member;
}

/* The beginning of a member, read from the first byte on. */
struct reader {
    struct input *input;
    const struct member *member;
    struct inflater *inflater; /* NULL where it is stored */
    uint64_t at;
};

static bool read_next(struct reader *reader, void *to, size_t count, struct error *error)
{
    const struct member *member = reader->member;
    if (count > member->bytes - reader->at)
        return fail(error, "npy header: truncated");
    bool ok = reader->inflater
                  ? inflater_read(reader->inflater, to, count, error)
                  : input_read(reader->input, member->offset + reader->at, to, count, error);
    reader->at += count;
    return ok;
}

/* Objects are pickled: there is nothing to cast, but other members are as good as ever. */
static bool is_of_objects(const struct npy_literal *literal)
{
    size_t prefix = literal->descr_length && strchr("<>=|", literal->descr[0]);
    return literal->descr_length > prefix && literal->descr[prefix] == 'O';
}

static bool interpret(const struct npy_literal *literal, const struct dtype *view, struct npy *npy,
                      struct error *error)
{
    if (is_of_objects(literal)) {
        *npy = (struct npy){.skipped = true, .dtype = "object"};
        return true;
    }
    /* --view is for those members that have its size. */
    return (view && npy_interpret(literal, view, npy, error)) ||
           npy_interpret(literal, NULL, npy, error);
}

/* *start: of the elements. */
static bool read_header(struct reader *reader, const struct dtype *view, struct npy *npy,
                        uint64_t *start, struct error *error)
{
    enum { HEAD = 12 }; /* the longer preamble; no header is so short that this is too much */
    unsigned char head[HEAD];
    struct npy_preamble preamble = {0};
    struct npy_literal literal;
    if (!read_next(reader, head, sizeof head, error))
        return false;
    if (!npy_recognise(head, sizeof head))
        return fail(error, "not a .npy file");
    if (!npy_preamble_parse(head, sizeof head, &preamble, error))
        return false;

    size_t ready = HEAD - preamble.header_start;
    if (ready > preamble.header_length)
        ready = preamble.header_length;
    char *text = allocate(preamble.header_length, 1);
    memcpy(text, head + preamble.header_start, ready);
    bool ok = read_next(reader, text + ready, preamble.header_length - ready, error) &&
              npy_literal_parse(text, preamble.header_length, preamble.version, &literal, error) &&
              interpret(&literal, view, npy, error);
    free(text);
    *start = preamble.header_start + preamble.header_length;
    return ok;
}

static bool read_array(struct input *input, struct member *member, const struct dtype *view,
                       struct npy *npy, struct error *error)
{
    struct reader reader = {.input = input, .member = member};
    if (member->deflated)
        reader.inflater = inflater_open(input, member);
    bool ok = read_header(&reader, view, npy, &member->start, error);
    if (reader.inflater)
        inflater_close(reader.inflater);
    if (ok && npy->bytes > member->bytes - member->start)
        return fail(error, "truncated data: %" PRIu64 " bytes expected, %" PRIu64 " there",
                    npy->bytes, member->bytes - member->start);
    return ok;
}

/* Adds to the warning what a member before did not. */
static void remark(struct input *input, const struct npy *npy, const struct member *member,
                   struct remarks *remarks)
{
    if (npy->note && npy->note != remarks->note)
        input_warn(input, "%s", npy->note);
    if (npy->note)
        remarks->note = npy->note;
    remarks->with_tails += !npy->skipped && member->bytes - member->start > npy->bytes;
}

/* Of the tensor in a member. */
static char *name_of(const struct zip_member *member)
{
    return copy_bytes(member->name, strlen(member->name) - strlen(suffix));
}

static bool add_array(struct input *input, const struct zip_member *from, const struct dtype *view,
                      struct remarks *remarks, struct error *error)
{
    uint64_t offset;
    struct npy npy = {0};
    if (!zip_locate(input, from, &offset, error))
        return false;
    struct member *member = new_member(from, offset);
    if (!read_array(input, member, view, &npy, error)) {
        free(member);
        return false;
    }
    remark(input, &npy, member, remarks);
    npy.tensor.member = member;
    npy.tensor.offset = member->deflated ? 0 : member->offset + member->start;
    npy_add(input, name_of(from), &npy);
    return true;
}

static bool add_member(struct input *input, const struct zip_member *from, const struct dtype *view,
                       struct remarks *remarks, struct error *error)
{
    struct error why;
    if (!ends_in(from->name, suffix)) {
        input_add_skipped(input, copy_string(from->name), "-", "not a .npy member");
        return true;
    }
    if (add_array(input, from, view, remarks, &why))
        return true;
    char *name = name_of(from);
    fail_tensor(name, &why, error);
    free(name);
    return false;
}

static bool add_members(struct input *input, const struct zip *zip, const struct dtype *view,
                        struct error *error)
{
    struct remarks remarks = {0};
    for (size_t i = 0; i < zip->count; i++)
        if (!add_member(input, &zip->members[i], view, &remarks, error))
            return false;
    if (remarks.with_tails)
        input_warn(input, "bytes after the data of %zu member%s are ignored", remarks.with_tails,
                   remarks.with_tails == 1 ? "" : "s");
    return true;
}

static bool npz_open(struct input *input, const struct input_options *options, struct error *error)
{
    struct zip zip;
    if (!torch_refuse_part(input, error) || !zip_open(input, &zip, error))
        return false;
    input->data_end = input->size;
    bool ok = torch_zip_recognise(&zip) ? torch_zip_open(input, options, &zip, error)
                                        : add_members(input, &zip, options->view, error);
    zip_close(&zip);
    return ok;
}

const struct container container_npz = {"npz", zip_recognise, npz_open};
