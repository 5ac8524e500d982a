use std::ffi::c_void;

use super::arguments::handle;
use super::callback_serializer::CallbackSerializer;
use super::callback_store::CallbackStore;
use super::guard::Failure;
use super::options::{khufu_options, on_options};
use super::status::khufu_status::{self, *};
use super::tables::{UserData, khufu_serializer_vtable, khufu_store_vtable};

/// Keeps sessions in a store of the application's own, and sets the option type to store.
///
/// @param table      the callbacks. The table is copied. load, save, touch and remove must be set; list, unlist and
///                   members must all be set or all be NULL; release may be NULL.
/// @param user_data  given to every callback. May be NULL. If this call fails, release is not called.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT if a callback is missing, or if struct_size is too small.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set_store(
    options: *mut khufu_options,
    table: *const khufu_store_vtable,
    user_data: *mut c_void,
) -> khufu_status {
    // SAFETY: the caller passes a valid handle and table, as the header requires.
    unsafe {
        on_options(options, || {
            let table = copied(table)?;
            let all = table.load.is_some() && table.save.is_some() && table.touch.is_some() && table.remove.is_some();
            let options = handle(options)?;
            if !all {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "a store needs load, save, touch and remove"));
            }
            let of_subjects = [table.list.is_some(), table.unlist.is_some(), table.members.is_some()];
            if of_subjects != [table.list.is_some(); 3] {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "set all of list, unlist and members, or none"));
            }
            options.options.set("type", "store")?;
            let store = CallbackStore::new(table, UserData(user_data));
            options.custom = options.custom.clone().store(store);
            Ok(())
        })
    }
}

/// Reads and writes payloads with a serializer of the application's own. The option serializer is ignored, except for
/// accepted formats.
///
/// @param table      the callbacks. The table is copied. loads and dumps must be set; release may be NULL.
/// @param user_data  given to every callback. May be NULL. If this call fails, release is not called.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT if a callback is missing, or if struct_size is too small.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set_serializer(
    options: *mut khufu_options,
    table: *const khufu_serializer_vtable,
    user_data: *mut c_void,
) -> khufu_status {
    // SAFETY: the caller passes a valid handle and table, as the header requires.
    unsafe {
        on_options(options, || {
            let table = copied(table)?;
            let options = handle(options)?;
            if table.loads.is_none() || table.dumps.is_none() {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "a serializer needs loads and dumps"));
            }
            let serializer = CallbackSerializer { table, user_data: UserData(user_data) };
            options.custom = options.custom.clone().serializer(serializer);
            Ok(())
        })
    }
}

/// A copy of a table.
///
/// SAFETY: if `table` is not NULL, its first field can be read, and as many bytes as that field says.
unsafe fn copied<T: Copy>(table: *const T) -> Result<T, Failure> {
    if table.is_null() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "the table is NULL"));
    }
    // SAFETY: struct_size is the first field of every table.
    if unsafe { table.cast::<usize>().read() } < size_of::<T>() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "the table's struct_size is too small"));
    }
    // SAFETY: the table is large enough.
    Ok(unsafe { *table })
}
