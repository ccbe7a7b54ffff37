#include "output/sink.h"

enum { MUCH = 1 << 16 };

bool sink_flush(struct sink *sink)
{
    if (!sink->write)
        return true;
    if (!sink->failed && sink->text.length)
        sink->failed = !sink->write(sink->context, sink->text.data, sink->text.length);
    sink->text.length = 0;
    return !sink->failed;
}

bool sink_goes_on(struct sink *sink)
{
    return sink->text.length < MUCH ? !sink->failed : sink_flush(sink);
}
