#include "anyloop_curl.h"
