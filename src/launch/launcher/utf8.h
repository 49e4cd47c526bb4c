// Bytes to whether they are UTF-8.
#pragma once

#include <stdbool.h>

/// Is it well-formed UTF-8 (RFC 3629)?
bool is_utf8(const char *text);
