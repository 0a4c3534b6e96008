// OpenBLAS and the LAPACK routines in it. Fortran interfaces are declared here where no header of
// the library does (lapack.h is a package of its own).
#pragma once
#include <cblas.h>

void dgesv_(const int *n, const int *nrhs, double *a, const int *lda, int *ipiv, double *b,
            const int *ldb, int *info);
