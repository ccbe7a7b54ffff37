/* Checkpoints of PyTorch: a pickle that says what there is, and storages of elements. */
#ifndef PRECHECK_INPUT_TORCH_H
#define PRECHECK_INPUT_TORCH_H

#include "input/pickle.h"
#include "input/zip.h"

/* Whether an archive has FOLDER/data.pkl, as torch.save names its pickle. */
bool torch_zip_recognise(const struct zip *zip);
/* Of such an archive, which is open and stays the caller's. */
bool torch_zip_open(struct input *input, const struct input_options *options, const struct zip *zip,
                    struct error *error);

/* Refuses the parts of distributed checkpoints, which begin as zip archives do: by name, since they
 * are archives one behind the other, without what would tell where each begins. */
bool torch_refuse_part(const struct input *input, struct error *error);

/* What follows is for torch*.c alone. */

/* Where the bytes of a storage are. */
struct torch_place {
    uint64_t offset, bytes;
};

struct torch_file {
    struct input *input;
    const struct input_options *options;
    struct pickle pickle;
    bool big_endian;
    /* Finds the storage with that key; `form` is the finder's. */
    bool (*find)(const struct torch_file *file, struct pickle_text key, struct torch_place *place,
                 struct error *error);
    const void *form;
};

/* The id of a storage, in its persistent value. */
struct torch_storage {
    struct pickle_text key, type; /* type: the name of a class */
    uint64_t element_bytes;       /* 0 where the type is unknown */
    uint64_t count;               /* elements */
    uint64_t view_offset;         /* elements before a view of a storage, as old files have them */
    uint64_t view_count;          /* elements in it; or all */
};

/* False where the value is none, or what it says makes no sense. */
bool torch_storage(const struct pickle *pickle, pickle_value value, struct torch_storage *storage);

/* What an object is to us, by what would be called to make it. */
enum torch_what {
    TORCH_UNKNOWN,
    TORCH_TENSOR,
    TORCH_OTHER_TENSOR, /* of a kind that is not read */
    TORCH_MAPPING,      /* its argument, if any, is a list of pairs */
    TORCH_SEQUENCE,     /* its argument, if any, is a list of elements */
    TORCH_PLAIN         /* its arguments hold no tensor */
};

struct torch_call {
    enum torch_what what;
    pickle_value arguments;
    const struct torch_function *function; /* see torch_tensor.c */
};

/* Looks through parameters and subclasses at the tensor in them. */
struct torch_call torch_call(const struct pickle *pickle, pickle_value object);

/* What a call makes: `tensor`, whose name is the caller's, or something that is skipped. */
struct torch_made {
    struct tensor tensor; /* owned */
    const char *reason;   /* NULL, or why it is skipped */
    char dtype[24];       /* of what is skipped */
};

/* Of TORCH_TENSOR and TORCH_OTHER_TENSOR; on failure there is nothing to free. */
bool torch_make(const struct torch_file *file, const struct torch_call *call,
                struct torch_made *made, struct error *error);

/* Adds to the input what the pickle holds, under the names that lead there. */
bool torch_walk(const struct torch_file *file, struct error *error);

/* Tells apart what has the same name, leaves the first of tensors that are the same elements, and
 * puts the tensors in the order of their data. */
void torch_settle(struct input *input);

#endif
