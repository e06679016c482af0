/* SPDX-License-Identifier: Apache-2.0 */
/* Architectural numbers used on this floor (Intel SDM vol. 3, 2.5, 3.4.5, 11.11; vol. 4 for MSRs). */
#ifndef VMM_X86_ARCH_H
#define VMM_X86_ARCH_H

#define CR0_PE (1ULL << 0)
#define CR0_MP (1ULL << 1)
#define CR0_TS (1ULL << 3)
#define CR0_ET (1ULL << 4)
#define CR0_NE (1ULL << 5)
#define CR0_WP (1ULL << 16)
#define CR0_PG (1ULL << 31)

#define CR4_PSE	    (1ULL << 4)
#define CR4_PAE	    (1ULL << 5)
#define CR4_PGE	    (1ULL << 7)
#define CR4_LA57    (1ULL << 12)
#define CR4_OSXSAVE (1ULL << 18)
#define CR4_SMEP    (1ULL << 20)
#define CR4_SMAP    (1ULL << 21)

#define EFER_SCE (1ULL << 0)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)
#define EFER_NXE (1ULL << 11)

#define RFLAGS_CF    (1ULL << 0)
#define RFLAGS_FIXED (1ULL << 1)
#define RFLAGS_PF    (1ULL << 2)
#define RFLAGS_AF    (1ULL << 4)
#define RFLAGS_ZF    (1ULL << 6)
#define RFLAGS_SF    (1ULL << 7)
#define RFLAGS_TF    (1ULL << 8)
#define RFLAGS_IF    (1ULL << 9)
#define RFLAGS_DF    (1ULL << 10)
#define RFLAGS_OF    (1ULL << 11)
#define RFLAGS_IOPL  (3ULL << 12)
#define RFLAGS_NT    (1ULL << 14)
#define RFLAGS_RF    (1ULL << 16)
#define RFLAGS_VM    (1ULL << 17)
#define RFLAGS_AC    (1ULL << 18)
#define RFLAGS_ID    (1ULL << 21)

#define DR6_BS (1ULL << 14)

#define SEGMENT_TYPE_DATA     0x3 /* read/write, accessed */
#define SEGMENT_TYPE_CODE     0xb /* execute/read, accessed */
#define SEGMENT_TYPE_TSS_BUSY 0xb

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_NM 7
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

#define MSR_MISC_ENABLE		0x1a0u
#define MISC_ENABLE_FAST_STRING 1ULL
#define MSR_MTRR_DEF_TYPE	0x2ffu
#define MTRR_ENABLE		(1ULL << 11)
#define MTRR_TYPE_WRITE_BACK	6ULL
#define MSR_XSS			0xda0u
#define MSR_STAR		0xc0000081u
#define MSR_LSTAR		0xc0000082u
#define MSR_CSTAR		0xc0000083u
#define MSR_SFMASK		0xc0000084u

#define APIC_LVT_LINT0	     0x350
#define APIC_LVT_LINT1	     0x360
#define APIC_DELIVERY_NMI    0x400u
#define APIC_DELIVERY_EXTINT 0x700u

#endif
