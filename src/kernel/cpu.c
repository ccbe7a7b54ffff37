#include "kernel/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdint.h>

/* Which registers the operating system saves (Intel SDM volume 1, 13.3). */
static uint64_t saved_registers(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

bool cpu_has_avx2(void)
{
    enum { XMM_AND_YMM = 6 };
    const unsigned basic = bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & basic) != basic ||
        (saved_registers() & XMM_AND_YMM) != XMM_AND_YMM)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}

#if defined(AVX512_EMULATED)

/* make check-avx512: the instructions were compiled to those of AVX2. */
bool cpu_has_avx512(void)
{
    return cpu_has_avx2();
}

#else

bool cpu_has_avx512(void)
{
    enum { XMM_YMM_ZMM_AND_MASKS = 0xe6 };
    const unsigned extended = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    unsigned a, b, c, d;
    return cpu_has_avx2() && (saved_registers() & XMM_YMM_ZMM_AND_MASKS) == XMM_YMM_ZMM_AND_MASKS &&
           __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & extended) == extended;
}

#endif

#else

bool cpu_has_avx2(void)
{
    return false;
}

bool cpu_has_avx512(void)
{
    return false;
}

#endif
