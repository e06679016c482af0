/* SPDX-License-Identifier: Apache-2.0 */
/* Intel MultiProcessor Specification 1.4, chapter 4. Start-up only. */
#include "boot/mptable.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "boot/checksum.h"

#define SPEC_REVISION  4
#define LAPIC_VERSION  0x14
#define IOAPIC_VERSION 0x11
#define NR_ISA_IRQS    16
#define ISA_CASCADE    2
#define TIMER_PIN      2 /* the irqchip wires ISA IRQ 0 to it */

/* 4.1 */
struct float_wire {
	char signature[4];
	le32 table;
	uint8_t length; /* in 16-byte units */
	uint8_t revision;
	uint8_t checksum;
	uint8_t features[5]; /* 0: there is a table; virtual wire mode */
} __attribute__((packed));
_Static_assert(sizeof(struct float_wire) == 16, "MP 1.4, 4.1");

/* 4.2 */
struct header_wire {
	char signature[4];
	le16 length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[8];
	char product_id[12];
	le32 oem_table;
	le16 oem_table_size;
	le16 nr_entries;
	le32 lapic_address;
	le16 extended_length;
	uint8_t extended_checksum;
	uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct header_wire) == 44, "MP 1.4, 4.2");

/* 4.3.1 */
struct processor_wire {
	uint8_t type; /* 0 */
	uint8_t apic_id;
	uint8_t apic_version;
	uint8_t flags;
	le32 signature;
	le32 features;
	le32 reserved[2];
} __attribute__((packed));
_Static_assert(sizeof(struct processor_wire) == 20, "MP 1.4, 4.3.1");

#define PROCESSOR_ENABLED  0x01
#define PROCESSOR_BOOT	   0x02
#define PROCESSOR_FEATURES 0x201 /* FPU and local APIC; the rest is CPUID's to tell */
#define PROCESSOR_FAMILY_6 0x600

/* 4.3.2 */
struct bus_wire {
	uint8_t type; /* 1 */
	uint8_t id;
	char name[6];
} __attribute__((packed));
_Static_assert(sizeof(struct bus_wire) == 8, "MP 1.4, 4.3.2");

#define BUS_ISA 0

/* 4.3.3 */
struct ioapic_wire {
	uint8_t type; /* 2 */
	uint8_t id;
	uint8_t version;
	uint8_t flags;
	le32 address;
} __attribute__((packed));
_Static_assert(sizeof(struct ioapic_wire) == 8, "MP 1.4, 4.3.3");

#define IOAPIC_ENABLED 0x01

/* 4.3.4 and 4.3.5 have one form. */
struct interrupt_wire {
	uint8_t type; /* 3: to an I/O APIC, 4: to a local APIC */
	uint8_t kind;
	le16 flags;
	uint8_t source_bus;
	uint8_t source_irq;
	uint8_t apic_id;
	uint8_t pin;
} __attribute__((packed));
_Static_assert(sizeof(struct interrupt_wire) == 8, "MP 1.4, 4.3.4");

#define ENTRY_IO_INTERRUPT    3
#define ENTRY_LOCAL_INTERRUPT 4
#define KIND_INT	      0
#define KIND_NMI	      1
#define KIND_EXTINT	      3
#define FLAGS_BUS_DEFAULT     0
#define FLAGS_EDGE_HIGH	      (1 << 0 | 1 << 2)
#define ALL_LOCAL_APICS	      0xff

struct table {
	uint8_t bytes[LAYOUT_MPTABLE_SIZE];
	size_t len;
	uint16_t nr_entries;
};

#define MAX_TABLE_SIZE                                                                                                 \
	(sizeof(struct header_wire) + LAYOUT_MAX_CPUS * sizeof(struct processor_wire) + sizeof(struct bus_wire) +      \
	 sizeof(struct ioapic_wire) + (LAYOUT_IOAPIC_PINS + 2) * sizeof(struct interrupt_wire))
_Static_assert(MAX_TABLE_SIZE <= LAYOUT_MPTABLE_SIZE, "the table fits whatever the machine is");

static void append_entry(struct table *table, const void *entry, size_t len)
{
	ASSERT(range_within(table->len, len, sizeof(table->bytes)));
	memcpy(table->bytes + table->len, entry, len);
	table->len += len;
	table->nr_entries++;
}

static void add_processors(struct table *table, unsigned nr_cpus)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct processor_wire cpu = {
			.apic_id = (uint8_t)i,
			.apic_version = LAPIC_VERSION,
			.flags = PROCESSOR_ENABLED | (i == 0 ? PROCESSOR_BOOT : 0),
			.signature = le32_of(PROCESSOR_FAMILY_6),
			.features = le32_of(PROCESSOR_FEATURES),
		};
		append_entry(table, &cpu, sizeof(cpu));
	}
}

static void add_interrupt(struct table *table, uint8_t type, struct interrupt_wire entry)
{
	entry.type = type;
	entry.source_bus = BUS_ISA;
	append_entry(table, &entry, sizeof(entry));
}

static bool is_virtio_line(const struct machine *machine, unsigned gsi)
{
	for (unsigned i = 0; i < machine->nr_virtio; i++)
		if (machine->virtio[i].gsi == gsi)
			return true;
	return false;
}

/* There is no other bus, so the virtio lines are ISA interrupts too, also beyond IRQ 15: numbered as their pins. */
static void add_io_interrupts(struct table *table, const struct machine *machine, uint8_t ioapic_id)
{
	for (unsigned irq = 0; irq < LAYOUT_IOAPIC_PINS; irq++) {
		bool virtio = is_virtio_line(machine, irq);

		if (irq == ISA_CASCADE || (irq >= NR_ISA_IRQS && !virtio))
			continue;
		add_interrupt(table, ENTRY_IO_INTERRUPT,
			      (struct interrupt_wire){
				      .kind = KIND_INT,
				      .flags = le16_of(virtio ? FLAGS_EDGE_HIGH : FLAGS_BUS_DEFAULT),
				      .source_irq = (uint8_t)irq,
				      .apic_id = ioapic_id,
				      .pin = (uint8_t)(irq == 0 ? TIMER_PIN : irq),
			      });
	}
}

static void build_table(struct table *table, const struct machine *machine)
{
	/* An APIC ID no processor has (3.6.6). */
	uint8_t ioapic_id = (uint8_t)machine->nr_cpus;
	struct bus_wire bus = {.type = 1, .id = BUS_ISA, .name = {'I', 'S', 'A', ' ', ' ', ' '}};
	struct ioapic_wire ioapic = {.type = 2,
				     .id = ioapic_id,
				     .version = IOAPIC_VERSION,
				     .flags = IOAPIC_ENABLED,
				     .address = le32_of(LAYOUT_IOAPIC)};
	struct header_wire header = {.revision = SPEC_REVISION, .lapic_address = le32_of(LAYOUT_LAPIC)};

	table->len = sizeof(header);
	table->nr_entries = 0;
	/* In ascending order of their types (4.3). */
	add_processors(table, machine->nr_cpus);
	append_entry(table, &bus, sizeof(bus));
	append_entry(table, &ioapic, sizeof(ioapic));
	add_io_interrupts(table, machine, ioapic_id);
	/* Virtual wire mode: the 8259 reach the boot processor's LINT0 (3.6.2.2). */
	add_interrupt(table, ENTRY_LOCAL_INTERRUPT, (struct interrupt_wire){.kind = KIND_EXTINT});
	add_interrupt(table, ENTRY_LOCAL_INTERRUPT,
		      (struct interrupt_wire){.kind = KIND_NMI, .apic_id = ALL_LOCAL_APICS, .pin = 1});

	memcpy(header.signature, "PCMP", sizeof(header.signature));
	memcpy(header.oem_id, "VMM     ", sizeof(header.oem_id));
	memcpy(header.product_id, "VMM         ", sizeof(header.product_id));
	header.length = le16_of((uint16_t)table->len);
	header.nr_entries = le16_of(table->nr_entries);
	memcpy(table->bytes, &header, sizeof(header));
	header.checksum = checksum_complement(table->bytes, table->len);
	memcpy(table->bytes, &header, sizeof(header));
}

int mptable_write(const struct machine *machine, struct guest_mem *mem, struct error *err)
{
	struct float_wire pointer = {.table = le32_of(LAYOUT_MPTABLE), .length = 1, .revision = SPEC_REVISION};
	struct table table;
	int code;

	ASSERT(machine->nr_cpus >= 1 && machine->nr_cpus <= LAYOUT_MAX_CPUS);
	build_table(&table, machine);
	memcpy(pointer.signature, "_MP_", sizeof(pointer.signature));
	pointer.checksum = checksum_complement(&pointer, sizeof(pointer));
	code = guest_mem_write(mem, gpa(LAYOUT_MPTABLE), table.bytes, table.len);
	if (!code)
		code = guest_mem_write(mem, gpa(LAYOUT_MPTABLE_FLOAT), &pointer, sizeof(pointer));
	if (code)
		return error_set(err, code, "MP table: the guest has less than 640K of memory; use a larger -m");
	return 0;
}
