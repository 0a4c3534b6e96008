// Parallel HDF5. Its constants are macros that Swift does not import, and the predefined types are
// variables that the library sets when it opens: one accessor for each that is used.
#pragma once
#include <hdf5.h>

#define CHDF5_SHIM static inline __attribute__((__always_inline__))

CHDF5_SHIM hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
CHDF5_SHIM hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
CHDF5_SHIM hid_t chdf5_dataset_transfer(void) { return H5P_DATASET_XFER; }
CHDF5_SHIM hid_t chdf5_link_create(void) { return H5P_LINK_CREATE; }
CHDF5_SHIM hid_t chdf5_default_properties(void) { return H5P_DEFAULT; }
CHDF5_SHIM hid_t chdf5_default_error_stack(void) { return H5E_DEFAULT; }
CHDF5_SHIM hid_t chdf5_all(void) { return H5S_ALL; }

CHDF5_SHIM unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
CHDF5_SHIM unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

CHDF5_SHIM hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
CHDF5_SHIM hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
CHDF5_SHIM hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
CHDF5_SHIM hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
CHDF5_SHIM hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
CHDF5_SHIM hid_t chdf5_ieee_f32le(void) { return H5T_IEEE_F32LE; }
CHDF5_SHIM hid_t chdf5_ieee_f64le(void) { return H5T_IEEE_F64LE; }
CHDF5_SHIM hid_t chdf5_std_i32le(void) { return H5T_STD_I32LE; }
CHDF5_SHIM hid_t chdf5_std_i64le(void) { return H5T_STD_I64LE; }
CHDF5_SHIM hid_t chdf5_std_u8le(void) { return H5T_STD_U8LE; }
CHDF5_SHIM hid_t chdf5_c_string(void) { return H5T_C_S1; }

#undef CHDF5_SHIM
