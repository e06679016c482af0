/* SPDX-License-Identifier: Apache-2.0 */
/* The ASL compiler as a second opinion: it disassembles each table, its text is checked, and it must make the same
 * bytes of it again. Skipped where iasl is not installed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/endian.h"
#include "base/file.h"
#include "boot/acpi.h"

#define MAX_TEXT  (1 << 20)
#define NOT_FOUND 127

struct fixture {
	char dir[64];
	struct guest_mem mem;
	struct machine machine;
	char *text; /* of the last disassembly or message, MAX_TEXT bytes */
};

static void join(char *path, size_t size, const struct fixture *f, const char *name)
{
	assert_true((size_t)snprintf(path, size, "%s/%s", f->dir, name) < size);
}

/* Runs iasl in @dir with its messages in the file "messages"; returns its exit status. */
static int run_iasl(const char *dir, char *const argv[])
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int out = -1;

		if (!chdir(dir))
			out = open("messages", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (out < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
			_exit(1);
		execvp("iasl", argv);
		_exit(NOT_FOUND);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool is_iasl_installed(void)
{
	static char name[] = "iasl", option[] = "-v";
	char dir[] = "/tmp/test_acpi_iasl.XXXXXX", path[64];
	bool found = false;

	if (!mkdtemp(dir))
		return false;
	found = run_iasl(dir, (char *[]){name, option, NULL}) != NOT_FOUND;
	snprintf(path, sizeof(path), "%s/messages", dir);
	unlink(path);
	rmdir(dir);
	return found;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/test_acpi_iasl.XXXXXX");
	f->text = malloc(MAX_TEXT);
	return f->text && mkdtemp(f->dir) && !guest_mem_init(&f->mem, 2 << 20) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	guest_mem_fini(&f->mem);
	free(f->text);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[128];
	int fd;

	join(path, sizeof(path), f, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, data, len), 0);
	close_fd(&fd);
}

/* Reads the whole file into f->text, NUL-terminated; returns its length. */
static size_t read_file(struct fixture *f, const char *name)
{
	char path[128];
	struct error err;
	uint64_t size;
	int fd;

	join(path, sizeof(path), f, name);
	fd = file_open_regular("test", path, &size, &err);
	assert_true(fd >= 0);
	assert_true(size < MAX_TEXT);
	assert_int_equal(read_exact_at(fd, f->text, size, 0), 0);
	close_fd(&fd);
	f->text[size] = '\0';
	return size;
}

static const uint8_t *at(const struct fixture *f, uint64_t address)
{
	const uint8_t *header = guest_mem_ptr(&f->mem, gpa(address), 36);

	assert_non_null(header);
	return header;
}

static void build(struct fixture *f, unsigned nr_cpus, unsigned nr_virtio)
{
	struct error err;
	uint64_t rsdp;

	f->machine = (struct machine){.nr_cpus = nr_cpus, .nr_virtio = nr_virtio};
	for (unsigned i = 0; i < nr_virtio; i++)
		f->machine.virtio[i] =
			(struct machine_virtio_slot){.base = LAYOUT_VIRTIO_MMIO + i * LAYOUT_VIRTIO_MMIO_SIZE,
						     .gsi = i < 3 ? 5 + i : 9 + (i - 3) % 15};
	assert_int_equal(acpi_write(&f->machine, &f->mem, &rsdp, &err), 0);
	assert_int_equal(rsdp, LAYOUT_ACPI);
}

/* The address of a table by its place in the XSDT: 0 is the FADT, 1 the MADT. */
static uint64_t table_address(const struct fixture *f, unsigned n)
{
	return load_le64(at(f, load_le64(at(f, LAYOUT_ACPI) + 24)) + 36 + 8 * n);
}

/* Disassembles, compiles and compares; leaves the disassembly in f->text. */
static void round_trip(struct fixture *f, uint64_t address)
{
	static char name[] = "iasl", disassemble[] = "-d", prefix[] = "-p", table[] = "table.dat",
		    source[] = "table.dsl", again[] = "again";
	const uint8_t *bytes = at(f, address);
	uint32_t length = load_le32(bytes + 4);

	write_file(f, table, bytes, length);
	assert_int_equal(run_iasl(f->dir, (char *[]){name, disassemble, table, NULL}), 0);
	assert_int_equal(run_iasl(f->dir, (char *[]){name, prefix, again, source, NULL}), 0);
	read_file(f, "messages");
	if (!strstr(f->text, "0 Errors, 0 Warnings, 0 Remarks"))
		fail_msg("%s", f->text);

	/* The header's checksum and creator are the compiler's own. */
	assert_int_equal(read_file(f, "again.aml"), length);
	assert_memory_equal(f->text, bytes, 9);
	assert_memory_equal(f->text + 10, bytes + 10, 18);
	assert_memory_equal(f->text + 36, bytes + 36, length - 36);
	read_file(f, source);
}

/* Copies the text of device @name, up to the next device, into @section. */
static void find_device(const struct fixture *f, const char *name, char *section, size_t size)
{
	char heading[32];
	const char *start, *end;

	snprintf(heading, sizeof(heading), "Device (%s)", name);
	start = strstr(f->text, heading);
	if (!start) {
		fail_msg("no device %s", name);
		return;
	}
	end = strstr(start + 1, "Device (");
	snprintf(section, size, "%.*s", end ? (int)(end - start) : (int)strlen(start), start);
}

static void assert_in_device(const struct fixture *f, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void assert_in_device(const struct fixture *f, const char *name, const char *fmt, ...)
{
	char section[2048], want[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	find_device(f, name, section, sizeof(section));
	if (!strstr(section, want))
		fail_msg("no \"%s\" in %s", want, section);
}

static void isa_devices_are_read_as_meant(void **state)
{
	struct fixture *f = *state;

	build(f, 1, 1);
	round_trip(f, load_le64(at(f, table_address(f, 0)) + 140));
	assert_non_null(strstr(f->text, "Name (_S5, Package (0x04)"));
	assert_in_device(f, "COM1", "EisaId (\"PNP0501\")");
	assert_in_device(f, "COM1", "0x%04X,             // Range Minimum", LAYOUT_COM1_PORT);
	assert_in_device(f, "COM1", "{%d}", LAYOUT_COM1_GSI);
	assert_in_device(f, "COM2", "EisaId (\"PNP0501\")");
	assert_in_device(f, "COM2", "0x%04X,             // Range Minimum", LAYOUT_COM2_PORT);
	assert_in_device(f, "COM2", "{%d}", LAYOUT_COM2_GSI);
	assert_in_device(f, "RTC", "EisaId (\"PNP0B00\")");
	assert_in_device(f, "RTC", "0x%04X,             // Range Minimum", LAYOUT_RTC_PORT);
	assert_in_device(f, "PEVT", "\"QEMU0001\"");
	assert_in_device(f, "PEVT", "0x%04X,             // Range Maximum", LAYOUT_PVPANIC_PORT);
}

static void processors_and_slots_are_read_as_meant(void **state)
{
	static const struct {
		unsigned cpus, slots;
	} machines[] = {{1, 1}, {2, 5}, {16, 3}, {LAYOUT_MAX_CPUS, LAYOUT_MAX_VIRTIO_SLOTS}};
	struct fixture *f = *state;

	for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
		char name[16];

		build(f, machines[m].cpus, machines[m].slots);
		round_trip(f, load_le64(at(f, table_address(f, 0)) + 140));
		for (unsigned i = 0; i < machines[m].cpus; i++) {
			snprintf(name, sizeof(name), "CP%02X", i);
			assert_in_device(f, name, "\"ACPI0007\"");
			if (i > 1)
				assert_in_device(f, name, "Name (_UID, 0x%02X)", i);
		}
		for (unsigned i = 0; i < machines[m].slots; i++) {
			/* GSIs 9 and up are given out twice from slot 18 on. */
			bool shared = machines[m].slots > 18 && i >= 3 && i != 17;

			snprintf(name, sizeof(name), "VR%02X", i);
			assert_in_device(f, name, "\"LNRO0005\"");
			assert_in_device(f, name, "0x%08X,         // Address Base",
					 (unsigned)f->machine.virtio[i].base);
			assert_in_device(f, name, "0x00001000,         // Address Length");
			assert_in_device(f, name, "Interrupt (ResourceConsumer, Edge, ActiveHigh, %s",
					 shared ? "Shared" : "Exclusive");
			assert_in_device(f, name, "0x%08X,\n                }", f->machine.virtio[i].gsi);
		}
	}
}

static void the_fixed_tables_are_read_as_meant(void **state)
{
	struct fixture *f = *state;

	build(f, 3, 2);
	round_trip(f, table_address(f, 0));
	assert_non_null(strstr(f->text, "Hardware Reduced (V5) : 1"));
	assert_non_null(strstr(f->text, "Reset Register Supported (V2) : 1"));
	assert_non_null(strstr(f->text, "CMOS RTC Not Present (V5) : 0"));
	assert_non_null(strstr(f->text, "8042 Present on ports 60/64 (V2) : 0"));
	round_trip(f, table_address(f, 1));
	assert_non_null(strstr(f->text, "[Interrupt Source Override]"));
	assert_non_null(strstr(f->text, "Local Apic Address : FEE00000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(isa_devices_are_read_as_meant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(processors_and_slots_are_read_as_meant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_fixed_tables_are_read_as_meant, set_up, tear_down),
	};

	if (!is_iasl_installed()) {
		fputs("skipped: iasl is not installed\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
