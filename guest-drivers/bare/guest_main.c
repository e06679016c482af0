/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#define NO_SUCH_TEST 98

int kit_main(const struct boot_info *info)
{
#define GUEST_ENTER(part) guest_##part##_tests,
	static const struct guest_test *const tables[] = {GUEST_TABLES(GUEST_ENTER)};
#undef GUEST_ENTER
	char name[32];

	if (!boot_option(info, "test", name, sizeof(name)))
		return NO_SUCH_TEST;
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct guest_test *test = tables[i]; test->name; test++)
			if (text_equal(test->name, name))
				return test->run(info);
	return NO_SUCH_TEST;
}
