// Counts the calls by which a thread asks for memory, of any library in the process.
#pragma once

// Starts to count on this thread.
void allocation_counter_start(void);

// Stops to count and returns the number of calls since the start.
long allocation_counter_stop(void);
