// MPI. Its constants are macros that Swift does not import: one accessor for each that is used.
#pragma once
#include <mpi.h>

#define CMPI_SHIM static inline __attribute__((__always_inline__))

CMPI_SHIM MPI_Comm _Nonnull cmpi_comm_world(void) { return MPI_COMM_WORLD; }
CMPI_SHIM MPI_Comm _Nonnull cmpi_comm_self(void) { return MPI_COMM_SELF; }
CMPI_SHIM MPI_Comm _Nonnull cmpi_comm_null(void) { return MPI_COMM_NULL; }
CMPI_SHIM MPI_Info _Nonnull cmpi_info_null(void) { return MPI_INFO_NULL; }
CMPI_SHIM MPI_Request _Nonnull cmpi_request_null(void) { return MPI_REQUEST_NULL; }
CMPI_SHIM MPI_Errhandler _Nonnull cmpi_errors_return(void) { return MPI_ERRORS_RETURN; }
CMPI_SHIM MPI_Status *_Nullable cmpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
CMPI_SHIM const void *_Nonnull cmpi_in_place(void) { return MPI_IN_PLACE; }
CMPI_SHIM int cmpi_undefined(void) { return MPI_UNDEFINED; }
CMPI_SHIM int cmpi_max_error_string(void) { return MPI_MAX_ERROR_STRING; }

CMPI_SHIM MPI_Datatype _Nonnull cmpi_uint8(void) { return MPI_UINT8_T; }
CMPI_SHIM MPI_Datatype _Nonnull cmpi_int32(void) { return MPI_INT32_T; }
CMPI_SHIM MPI_Datatype _Nonnull cmpi_int64(void) { return MPI_INT64_T; }
CMPI_SHIM MPI_Datatype _Nonnull cmpi_uint64(void) { return MPI_UINT64_T; }
CMPI_SHIM MPI_Datatype _Nonnull cmpi_float(void) { return MPI_FLOAT; }
CMPI_SHIM MPI_Datatype _Nonnull cmpi_double(void) { return MPI_DOUBLE; }

CMPI_SHIM MPI_Op _Nonnull cmpi_sum(void) { return MPI_SUM; }
CMPI_SHIM MPI_Op _Nonnull cmpi_min(void) { return MPI_MIN; }
CMPI_SHIM MPI_Op _Nonnull cmpi_max(void) { return MPI_MAX; }

#undef CMPI_SHIM
