// This program's image to one that may run where it was mapped.
#pragma once

/// Applies the image's own relative relocations. Nothing that holds an address may be touched before.
void relocate_self(void);
