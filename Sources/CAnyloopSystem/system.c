#include "anyloop_system.h"
