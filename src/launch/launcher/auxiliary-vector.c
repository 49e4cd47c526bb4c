// A tag of the auxiliary vector to its value.
#include "auxiliary-vector.h"

uintptr_t *auxiliary_value(const struct auxiliary_vector *vector, uintptr_t tag)
{
	for (uintptr_t *pair = vector->first; pair < vector->end; pair += 2)
		if (pair[0] == tag)
			return pair + 1;
	return NULL;
}
