// FFTW 3 in double precision.
#pragma once
#include <fftw3.h>
