/* SPDX-License-Identifier: Apache-2.0 */
/* The frame: reading, counting, printing. The checks have tests of their own. */
#include "support/fake_root.h"

#include <errno.h>

#include "doctor_checks.h"

static struct doctor_result made_up[] = {
	{.name = "kvm-device", .status = DOCTOR_PASS, .text = "there"},
	{.name = "backend", .status = DOCTOR_INFO, .text = "a \"quoted\" word"},
	{.name = "tun", .status = DOCTOR_WARN, .text = "not there", .remedy = "modprobe tun"},
	{.name = "kvm-capabilities", .status = DOCTOR_FAIL, .text = "missing: PIT2", .remedy = "another kernel"},
};

static void make_up(struct doctor *doctor, unsigned count)
{
	memset(doctor, 0, sizeof(*doctor));
	doctor->count = count;
	memcpy(doctor->results, made_up, count * sizeof(made_up[0]));
	for (unsigned i = 0; i < count; i++)
		doctor->totals[made_up[i].status]++;
}

static void print(const struct doctor *doctor, bool with_colour, char *text, size_t size)
{
	FILE *to = fmemopen(text, size, "w");

	assert_non_null(to);
	doctor_print(doctor, to, with_colour);
	assert_int_equal(fclose(to), 0);
}

static void lines_are_aligned_and_remedies_below_them(void **state)
{
	struct doctor doctor;
	char text[2048];

	(void)state;
	make_up(&doctor, 4);
	print(&doctor, false, text, sizeof(text));
	assert_string_equal(text,
			    "ok    kvm-device        there\n"
			    "info  backend           a \"quoted\" word\n"
			    "warn  tun               not there\n"
			    "                     -> modprobe tun\n"
			    "FAIL  kvm-capabilities  missing: PIT2\n"
			    "                     -> another kernel\n"
			    "\n"
			    "vmm cannot run guests here: 1 ok, 1 info, 1 warn, 1 fail\n");
}

static void colours_change_nothing_else(void **state)
{
	struct doctor doctor;
	char plain[2048], coloured[2048];
	size_t len = 0;

	(void)state;
	make_up(&doctor, 4);
	print(&doctor, false, plain, sizeof(plain));
	print(&doctor, true, coloured, sizeof(coloured));
	assert_non_null(strstr(coloured, "\033[1;31mFAIL\033[0m"));
	for (const char *c = coloured; *c; c++) {
		if (*c == '\033')
			c = strchr(c, 'm');
		else
			coloured[len++] = *c;
	}
	coloured[len] = 0;
	assert_string_equal(coloured, plain);
}

static void only_a_failure_makes_a_host_unfit(void **state)
{
	struct doctor doctor;
	char text[2048];

	(void)state;
	make_up(&doctor, 3);
	assert_true(doctor_is_healthy(&doctor));
	print(&doctor, false, text, sizeof(text));
	assert_non_null(strstr(text, "\nvmm can run guests here: "));
	make_up(&doctor, 4);
	assert_false(doctor_is_healthy(&doctor));
}

static void json_has_stable_keys(void **state)
{
	struct doctor doctor;
	char text[2048];
	size_t len;

	(void)state;
	make_up(&doctor, 3);
	assert_int_equal(doctor_write_json(&doctor, text, sizeof(text), &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text, "{\"version\":\"" VMM_VERSION
				  "\",\"ok\":true,"
				  "\"totals\":{\"pass\":1,\"info\":1,\"warn\":1,\"fail\":0},\"checks\":["
				  "{\"name\":\"kvm-device\",\"status\":\"pass\",\"text\":\"there\"},"
				  "{\"name\":\"backend\",\"status\":\"info\",\"text\":\"a \\\"quoted\\\" word\"},"
				  "{\"name\":\"tun\",\"status\":\"warn\",\"text\":\"not there\","
				  "\"remedy\":\"modprobe tun\"}]}\n");
}

static void the_longest_report_fits_and_a_small_buffer_is_refused(void **state)
{
	static struct doctor doctor;
	static char text[DOCTOR_JSON_SIZE];
	size_t len;

	(void)state;
	doctor.count = 18;
	for (unsigned i = 0; i < doctor.count; i++) {
		struct doctor_result *r = &doctor.results[i];

		r->name = "kvm-capabilities";
		memset(r->text, 'x', sizeof(r->text) - 1);
		memset(r->remedy, 'y', sizeof(r->remedy) - 1);
	}
	assert_int_equal(doctor_write_json(&doctor, text, sizeof(text), &len), 0);
	assert_int_equal(doctor_write_json(&doctor, text, 4096, &len), -ENOSPC);
	assert_int_equal(len, 0);
}

static void a_result_is_cut_to_its_room(void **state)
{
	struct doctor_result result = {0};
	char word[1000];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	doctor_say(&result, DOCTOR_WARN, "%s", word);
	doctor_advise(&result, "%s", word);
	assert_int_equal(result.status, DOCTOR_WARN);
	assert_int_equal(strlen(result.text), sizeof(result.text) - 1);
	assert_int_equal(strlen(result.remedy), sizeof(result.remedy) - 1);
}

static void files_are_read_below_the_root(void **state)
{
	const struct fake_root *root = *state;
	const struct doctor doctor = {.root = root->path};
	uint64_t value = 0;
	char text[8];

	fake_root_write(root, "/proc/short", "abc \n\n");
	fake_root_write(root, "/proc/long", "0123456789");
	fake_root_write(root, "/proc/empty", "");
	fake_root_write(root, "/proc/number", "65530\n");
	assert_int_equal(doctor_read(&doctor, "/proc/short", text, sizeof(text)), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(doctor_read(&doctor, "/proc/long", text, sizeof(text)), 0);
	assert_string_equal(text, "0123456");
	assert_int_equal(doctor_read(&doctor, "/proc/empty", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(doctor_read(&doctor, "/proc/none", text, sizeof(text)), -ENOENT);
	assert_string_equal(text, "");
	assert_int_equal(doctor_read(&doctor, "/proc", text, sizeof(text)), -EISDIR);
	assert_int_equal(doctor_read_u64(&doctor, "/proc/number", &value), 0);
	assert_int_equal(value, 65530);
	assert_int_equal(doctor_read_u64(&doctor, "/proc/short", &value), -EINVAL);
	assert_int_equal(doctor_read_u64(&doctor, "/proc/none", &value), -ENOENT);
}

static const struct doctor_result *find(const struct doctor *doctor, const char *name)
{
	const struct doctor_result *found = NULL;

	for (unsigned i = 0; i < doctor->count; i++) {
		if (strcmp(doctor->results[i].name, name))
			continue;
		assert_null(found);
		found = &doctor->results[i];
	}
	assert_non_null(found);
	return found;
}

/* Scripts look for these. */
static void every_check_reports_under_its_name_even_on_an_empty_host(void **state)
{
	static const char *const names[] = {"kvm-device",    "kvm-api", "backend",    "kvm-capabilities",
					    "kvm-vm",	     "vcpus",	"syscall",    "io-uring",
					    "userfaultfd",   "ksm",	"huge-pages", "max-map-count",
					    "overcommit",    "tun",	"open-files", "locked-memory",
					    "address-space", "memory",	"busybox"};
	const struct fake_root *root = *state;
	static struct doctor doctor;
	unsigned sum = 0;

	doctor_run(&doctor, root->path);
	assert_int_equal(doctor.count, ARRAY_SIZE(names));
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(strlen(find(&doctor, names[i])->text) > 0);
	for (unsigned i = 0; i < DOCTOR_STATUSES; i++)
		sum += doctor.totals[i];
	assert_int_equal(sum, doctor.count);
	assert_int_equal(find(&doctor, "kvm-device")->status, DOCTOR_FAIL);
	assert_int_equal(find(&doctor, "kvm-capabilities")->status, DOCTOR_INFO);
	assert_false(doctor_is_healthy(&doctor));
	assert_int_equal(doctor.kvm.fd, -1);
}

/* What is wrong must be said with what to do; the states that need nothing say nothing. */
static void whatever_is_wrong_has_a_remedy(void **state)
{
	const struct fake_root *root = *state;
	static struct doctor doctor;

	doctor_run(&doctor, root->path);
	for (unsigned i = 0; i < doctor.count; i++) {
		const struct doctor_result *r = &doctor.results[i];

		if (r->status == DOCTOR_WARN || r->status == DOCTOR_FAIL)
			assert_true(strlen(r->remedy) > 0);
		if (r->status == DOCTOR_PASS)
			assert_string_equal(r->remedy, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_aligned_and_remedies_below_them),
		cmocka_unit_test(colours_change_nothing_else),
		cmocka_unit_test(only_a_failure_makes_a_host_unfit),
		cmocka_unit_test(json_has_stable_keys),
		cmocka_unit_test(the_longest_report_fits_and_a_small_buffer_is_refused),
		cmocka_unit_test(a_result_is_cut_to_its_room),
		fake_root_test(files_are_read_below_the_root),
		fake_root_test(every_check_reports_under_its_name_even_on_an_empty_host),
		fake_root_test(whatever_is_wrong_has_a_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
