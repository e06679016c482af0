/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI 6.3: the RSDP and fixed tables; the DSDT's content is acpi_dsdt.c. Start-up only. */
#include "boot/acpi.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "boot/acpi_dsdt.h"
#include "boot/checksum.h"

#define OEM_ID	   "VMM   "
#define OEM_TABLE  "VMM     "
#define CREATOR_ID "VMM "

/* ACPI 6.3, table 5-27 */
struct rsdp_wire {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	le32 rsdt;
	le32 length;
	le64 xsdt;
	uint8_t extended_checksum; /* of all 36 */
	uint8_t reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct rsdp_wire) == 36, "ACPI 6.3, table 5-27");

/* ACPI 6.3, table 5-28 */
struct header_wire {
	char signature[4];
	le32 length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	le32 oem_revision;
	char creator_id[4];
	le32 creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct header_wire) == 36, "ACPI 6.3, table 5-28");

#define RSDP_FIRST_PART 20 /* what revision 0 had */

/* Generic address structure, ACPI 6.3, table 5-25 */
struct gas_wire {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	le64 address;
} __attribute__((packed));

#define GAS_SYSTEM_IO	1
#define GAS_ACCESS_BYTE 1

struct xsdt_wire {
	struct header_wire header;
	le64 fadt;
	le64 madt;
} __attribute__((packed));

/* ACPI 6.3, table 5-33. All the fixed hardware between is absent in the hardware-reduced model (section 4.1). */
struct fadt_wire {
	struct header_wire header;
	le32 firmware_ctrl;
	le32 dsdt;
	uint8_t reserved1;
	uint8_t preferred_profile;
	uint8_t fixed_hardware[62];
	uint8_t century;
	le16 boot_arch;
	uint8_t reserved2;
	le32 flags;
	struct gas_wire reset_reg;
	uint8_t reset_value;
	le16 arm_boot_arch;
	uint8_t minor_version;
	le64 x_firmware_ctrl;
	le64 x_dsdt;
	struct gas_wire x_fixed_hardware[8];
	struct gas_wire sleep_control;
	struct gas_wire sleep_status;
	uint8_t hypervisor_id[8];
} __attribute__((packed));
_Static_assert(offsetof(struct fadt_wire, boot_arch) == 109, "ACPI 6.3, table 5-33");
_Static_assert(offsetof(struct fadt_wire, reset_reg) == 116, "ACPI 6.3, table 5-33");
_Static_assert(offsetof(struct fadt_wire, x_dsdt) == 140, "ACPI 6.3, table 5-33");
_Static_assert(offsetof(struct fadt_wire, sleep_control) == 244, "ACPI 6.3, table 5-33");
_Static_assert(sizeof(struct fadt_wire) == 276, "ACPI 6.3, table 5-33");

#define FADT_REVISION	    6
#define FADT_MINOR_VERSION  3
#define FADT_RTC_CENTURY    0x32 /* the RTC's register with the century */
#define FADT_WBINVD	    (1u << 0)
#define FADT_PROC_C1	    (1u << 2)
#define FADT_NO_PWR_BUTTON  (1u << 4)
#define FADT_NO_SLP_BUTTON  (1u << 5)
#define FADT_RESET_REG_SUP  (1u << 10)
#define FADT_HEADLESS	    (1u << 12)
#define FADT_HW_REDUCED	    (1u << 20)
#define BOOT_LEGACY_DEVICES (1u << 0) /* UARTs at their ISA ports */
#define BOOT_NO_VGA	    (1u << 2)
#define BOOT_NO_MSI	    (1u << 3)

/* ACPI 6.3, table 5-43; its interrupt controller structures follow. */
struct madt_wire {
	struct header_wire header;
	le32 lapic_address;
	le32 flags;
} __attribute__((packed));

#define MADT_REVISION	 5
#define MADT_PCAT_COMPAT 1u /* the irqchip has the two 8259 as well */

/* ACPI 6.3, 5.2.12.2 */
struct madt_lapic_wire {
	uint8_t type; /* 0 */
	uint8_t length;
	uint8_t processor_uid;
	uint8_t apic_id;
	le32 flags;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_lapic_wire) == 8, "ACPI 6.3, 5.2.12.2");

/* ACPI 6.3, 5.2.12.3 */
struct madt_ioapic_wire {
	uint8_t type; /* 1 */
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	le32 address;
	le32 gsi_base;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_ioapic_wire) == 12, "ACPI 6.3, 5.2.12.3");

/* ACPI 6.3, 5.2.12.5 */
struct madt_override_wire {
	uint8_t type; /* 2 */
	uint8_t length;
	uint8_t bus; /* 0: ISA */
	uint8_t source;
	le32 gsi;
	le16 flags; /* 0: as the bus has it */
} __attribute__((packed));
_Static_assert(sizeof(struct madt_override_wire) == 10, "ACPI 6.3, 5.2.12.5");

/* ACPI 6.3, 5.2.12.7 */
struct madt_lapic_nmi_wire {
	uint8_t type; /* 4 */
	uint8_t length;
	uint8_t processor_uid;
	le16 flags;
	uint8_t lint;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_lapic_nmi_wire) == 6, "ACPI 6.3, 5.2.12.7");

#define MADT_ALL_PROCESSORS 0xff

/* Bound of FADT, MADT with LAYOUT_MAX_CPUS and XSDT, aligned. */
#define FIXED_TABLES_SIZE 2048

/* The guest memory the tables go to, filled from the start. */
struct area {
	uint8_t *base;
	size_t len;
};

static void fill_header(struct header_wire *header, const char *signature, uint8_t revision, size_t length)
{
	*header = (struct header_wire){
		.length = le32_of((uint32_t)length),
		.revision = revision,
		.oem_revision = le32_of(1),
		.creator_revision = le32_of(1),
	};
	memcpy(header->signature, signature, sizeof(header->signature));
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE, sizeof(header->oem_table_id));
	memcpy(header->creator_id, CREATOR_ID, sizeof(header->creator_id));
}

/* Guest-physical address of the next table, which begins at a multiple of 16. */
static uint64_t next_address(struct area *area)
{
	area->len = align_up(area->len, 16);
	return LAYOUT_ACPI + area->len;
}

/* Copies a fixed-size piece behind what is there. The sizes of all of them are bounded, see acpi_write. */
static void append(struct area *area, const void *piece, size_t len)
{
	ASSERT(range_within(area->len, len, LAYOUT_ACPI_SIZE));
	memcpy(area->base + area->len, piece, len);
	area->len += len;
}

/* The table at @address is complete: stores its checksum. */
static void seal_table(struct area *area, uint64_t address)
{
	size_t start = address - LAYOUT_ACPI;
	struct header_wire *header = (void *)(area->base + start);

	header->checksum = 0;
	header->checksum = checksum_complement(header, area->len - start);
}

static struct gas_wire io_register(uint16_t port)
{
	return (struct gas_wire){
		.space = GAS_SYSTEM_IO,
		.bit_width = 8,
		.access_size = GAS_ACCESS_BYTE,
		.address = le64_of(port),
	};
}

static uint64_t write_fadt(struct area *area, uint64_t dsdt)
{
	uint64_t address = next_address(area);
	struct fadt_wire fadt = {
		.dsdt = le32_of((uint32_t)dsdt),
		.x_dsdt = le64_of(dsdt),
		.century = FADT_RTC_CENTURY,
		.boot_arch = le16_of(BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_MSI),
		.flags = le32_of(FADT_WBINVD | FADT_PROC_C1 | FADT_NO_PWR_BUTTON | FADT_NO_SLP_BUTTON |
				 FADT_RESET_REG_SUP | FADT_HEADLESS | FADT_HW_REDUCED),
		.reset_reg = io_register(LAYOUT_ACPI_RESET_PORT),
		.reset_value = LAYOUT_ACPI_RESET_VALUE,
		.minor_version = FADT_MINOR_VERSION,
		.sleep_control = io_register(LAYOUT_ACPI_SLEEP_PORT),
		.sleep_status = io_register(LAYOUT_ACPI_STATUS_PORT),
	};

	fill_header(&fadt.header, "FACP", FADT_REVISION, sizeof(fadt));
	append(area, &fadt, sizeof(fadt));
	seal_table(area, address);
	return address;
}

static uint64_t write_madt(struct area *area, const struct machine *machine)
{
	struct madt_ioapic_wire ioapic = {.type = 1, .length = sizeof(ioapic), .address = le32_of(LAYOUT_IOAPIC)};
	/* The irqchip wires the timer, ISA IRQ 0, to pin 2. */
	struct madt_override_wire timer = {.type = 2, .length = sizeof(timer), .source = 0, .gsi = le32_of(2)};
	struct madt_lapic_nmi_wire nmi = {
		.type = 4, .length = sizeof(nmi), .processor_uid = MADT_ALL_PROCESSORS, .lint = 1};
	struct madt_wire madt = {.lapic_address = le32_of(LAYOUT_LAPIC), .flags = le32_of(MADT_PCAT_COMPAT)};
	uint64_t address = next_address(area);
	size_t length = sizeof(madt) + machine->nr_cpus * sizeof(struct madt_lapic_wire) + sizeof(ioapic) +
			sizeof(timer) + sizeof(nmi);

	fill_header(&madt.header, "APIC", MADT_REVISION, length);
	append(area, &madt, sizeof(madt));
	for (unsigned i = 0; i < machine->nr_cpus; i++) {
		struct madt_lapic_wire lapic = {
			.length = sizeof(lapic),
			.processor_uid = (uint8_t)i,
			.apic_id = (uint8_t)i,
			.flags = le32_of(1),
		};
		append(area, &lapic, sizeof(lapic));
	}
	ioapic.id = (uint8_t)machine->nr_cpus;
	append(area, &ioapic, sizeof(ioapic));
	append(area, &timer, sizeof(timer));
	append(area, &nmi, sizeof(nmi));
	seal_table(area, address);
	return address;
}

static uint64_t write_xsdt(struct area *area, uint64_t fadt, uint64_t madt)
{
	struct xsdt_wire xsdt = {.fadt = le64_of(fadt), .madt = le64_of(madt)};
	uint64_t address = next_address(area);

	fill_header(&xsdt.header, "XSDT", 1, sizeof(xsdt));
	append(area, &xsdt, sizeof(xsdt));
	seal_table(area, address);
	return address;
}

/* Leaves room for the other tables, whose sizes are bounded. */
static int write_dsdt(struct area *area, const struct machine *machine, uint64_t *address)
{
	struct header_wire header;
	size_t room, len;
	int err;

	*address = next_address(area);
	area->len += sizeof(header);
	room = LAYOUT_ACPI_SIZE - FIXED_TABLES_SIZE - area->len;
	err = acpi_dsdt_encode(machine, area->base + area->len, room, &len);
	if (err)
		return err;
	/* Revision 2: integers are 64 bits wide. */
	fill_header(&header, "DSDT", 2, sizeof(header) + len);
	memcpy(area->base + area->len - sizeof(header), &header, sizeof(header));
	area->len += len;
	seal_table(area, *address);
	return 0;
}

static void write_rsdp(struct area *area, uint64_t xsdt)
{
	struct rsdp_wire rsdp = {.revision = 2, .length = le32_of(sizeof(rsdp)), .xsdt = le64_of(xsdt)};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = checksum_complement(&rsdp, RSDP_FIRST_PART);
	rsdp.extended_checksum = checksum_complement(&rsdp, sizeof(rsdp));
	memcpy(area->base, &rsdp, sizeof(rsdp));
}

int acpi_write(const struct machine *machine, struct guest_mem *mem, uint64_t *rsdp, struct error *err)
{
	/* The RSDP is where a guest without a pointer to it searches first. */
	struct area area = {.base = guest_mem_ptr(mem, gpa(LAYOUT_ACPI), LAYOUT_ACPI_SIZE),
			    .len = sizeof(struct rsdp_wire)};
	uint64_t dsdt, fadt, madt;
	int code;

	ASSERT(machine->nr_cpus >= 1 && machine->nr_cpus <= LAYOUT_MAX_CPUS);
	ASSERT(machine->nr_virtio <= LAYOUT_MAX_VIRTIO_SLOTS);
	if (!area.base)
		return error_set(err, -EFAULT, "ACPI tables: the guest has less than 1M of memory; use a larger -m");
	code = write_dsdt(&area, machine, &dsdt);
	if (code)
		return error_set(err, code, "ACPI tables: the description of %u CPUs and %u devices does not fit",
				 machine->nr_cpus, machine->nr_virtio);
	fadt = write_fadt(&area, dsdt);
	madt = write_madt(&area, machine);
	write_rsdp(&area, write_xsdt(&area, fadt, madt));
	*rsdp = LAYOUT_ACPI;
	return 0;
}
