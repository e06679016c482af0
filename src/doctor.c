/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <cpuid.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/parse.h"
#include "doctor_checks.h"
#include "x86/cpuid.h"

#define ECX1_HYPERVISOR (1u << 31)

/* In this order: those about KVM need that the API's check opened it. */
static const struct {
	const char *name;
	doctor_check *run;
} checks[] = {
	{"kvm-device", doctor_check_kvm_device},
	{"kvm-api", doctor_check_kvm_api},
	{"backend", doctor_check_backend},
	{"kvm-capabilities", doctor_check_capabilities},
	{"kvm-vm", doctor_check_kvm_vm},
	{"vcpus", doctor_check_vcpus},
	{"syscall", doctor_check_syscall},
	{"io-uring", doctor_check_io_uring},
	{"userfaultfd", doctor_check_userfaultfd},
	{"ksm", doctor_check_ksm},
	{"huge-pages", doctor_check_huge_pages},
	{"max-map-count", doctor_check_map_count},
	{"overcommit", doctor_check_overcommit},
	{"tun", doctor_check_tun},
	{"open-files", doctor_check_open_files},
	{"locked-memory", doctor_check_locked_memory},
	{"address-space", doctor_check_address_space},
	{"memory", doctor_check_memory},
	{"busybox", doctor_check_busybox},
};

_Static_assert(ARRAY_SIZE(checks) <= DOCTOR_MAX_RESULTS, "room for every result");

void doctor_say(struct doctor_result *result, enum doctor_status status, const char *fmt, ...)
{
	va_list args;

	result->status = status;
	va_start(args, fmt);
	vsnprintf(result->text, sizeof(result->text), fmt, args);
	va_end(args);
}

void doctor_advise(struct doctor_result *result, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(result->remedy, sizeof(result->remedy), fmt, args);
	va_end(args);
}

const char *doctor_path(const struct doctor *doctor, const char *path, char buf[DOCTOR_PATH_SIZE])
{
	snprintf(buf, DOCTOR_PATH_SIZE, "%s%s", doctor->root, path);
	return buf;
}

int doctor_read(const struct doctor *doctor, const char *path, char *buf, size_t size)
{
	char full[DOCTOR_PATH_SIZE];
	int fd = open(doctor_path(doctor, path, full), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 0;
	int err = 0;

	buf[0] = 0;
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err = -errno;
	close_fd(&fd);
	while (len > 0 && isspace((unsigned char)buf[len - 1]))
		len--;
	buf[err ? 0 : len] = 0;
	return err;
}

int doctor_read_u64(const struct doctor *doctor, const char *path, uint64_t *value)
{
	char text[32];
	int err = doctor_read(doctor, path, text, sizeof(text));

	return err ? err : parse_u64(text, UINT64_MAX, value);
}

static struct doctor_cpu look_at_cpu(void)
{
	unsigned eax, ebx, ecx = 0, edx;

	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	return (struct doctor_cpu){
		.has_virtualization = cpuid_host_has_hardware_virtualization(),
		.has_hypervisor = ecx & ECX1_HYPERVISOR,
	};
}

void doctor_run(struct doctor *doctor, const char *root)
{
	memset(doctor, 0, sizeof(*doctor));
	doctor->root = root;
	doctor->kvm.fd = -1;
	doctor->cpu = look_at_cpu();
	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		struct doctor_result *result = &doctor->results[doctor->count++];

		result->name = checks[i].name;
		checks[i].run(doctor, result);
		doctor->totals[result->status]++;
	}
	kvm_host_close(&doctor->kvm);
}

bool doctor_is_healthy(const struct doctor *doctor)
{
	return doctor->totals[DOCTOR_FAIL] == 0;
}

const char *doctor_status_name(enum doctor_status status)
{
	static const char *const names[DOCTOR_STATUSES] = {
		[DOCTOR_PASS] = "pass", [DOCTOR_INFO] = "info", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "fail"};

	return names[status];
}

void doctor_print(const struct doctor *doctor, FILE *to, bool with_colour)
{
	static const struct {
		const char *word, *colour;
	} looks[DOCTOR_STATUSES] = {
		[DOCTOR_PASS] = {"ok", "\033[32m"},
		[DOCTOR_INFO] = {"info", ""},
		[DOCTOR_WARN] = {"warn", "\033[33m"},
		[DOCTOR_FAIL] = {"FAIL", "\033[1;31m"},
	};

	for (unsigned i = 0; i < doctor->count; i++) {
		const struct doctor_result *r = &doctor->results[i];

		fprintf(to, "%s%-4s%s  %-16s  %s\n", with_colour ? looks[r->status].colour : "", looks[r->status].word,
			with_colour ? "\033[0m" : "", r->name, r->text);
		if (r->remedy[0])
			fprintf(to, "%24s%s\n", "-> ", r->remedy);
	}
	fprintf(to, "\n%s: %u ok, %u info, %u warn, %u fail\n",
		doctor_is_healthy(doctor) ? "vmm can run guests here" : "vmm cannot run guests here",
		doctor->totals[DOCTOR_PASS], doctor->totals[DOCTOR_INFO], doctor->totals[DOCTOR_WARN],
		doctor->totals[DOCTOR_FAIL]);
}

int doctor_write_json(const struct doctor *doctor, char *buf, size_t size, size_t *len)
{
	struct json json;

	json_init(&json, buf, size);
	json_open_object(&json, NULL);
	json_put_string(&json, "version", VMM_VERSION);
	json_put_bool(&json, "ok", doctor_is_healthy(doctor));
	json_open_object(&json, "totals");
	for (unsigned i = 0; i < DOCTOR_STATUSES; i++)
		json_put_u64(&json, doctor_status_name((enum doctor_status)i), doctor->totals[i]);
	json_close(&json);
	json_open_array(&json, "checks");
	for (unsigned i = 0; i < doctor->count; i++) {
		const struct doctor_result *r = &doctor->results[i];

		json_open_object(&json, NULL);
		json_put_string(&json, "name", r->name);
		json_put_string(&json, "status", doctor_status_name(r->status));
		json_put_string(&json, "text", r->text);
		if (r->remedy[0])
			json_put_string(&json, "remedy", r->remedy);
		json_close(&json);
	}
	json_close(&json);
	json_close(&json);
	return json_finish(&json, len);
}
