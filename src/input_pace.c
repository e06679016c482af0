/* SPDX-License-Identifier: Apache-2.0 */
#include "input_pace.h"

void input_pace_fill(struct input_pace *pace, uint64_t now)
{
	pace->filled_ns = now;
}

void input_pace_empty(struct input_pace *pace, uint64_t now)
{
	uint64_t work = now - pace->filled_ns;

	if (pace->filled_ns == 0)
		return;
	pace->filled_ns = 0;
	pace->work_ns += work < INPUT_PACE_FIFO_NS ? work : INPUT_PACE_FIFO_NS;
	if (pace->work_ns < INPUT_PACE_WORK_NS)
		return;
	pace->ready_ns = now + pace->work_ns;
	pace->work_ns = 0;
}
