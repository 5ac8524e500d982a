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
/// @param table     copied. load, save, touch and remove are needed; list, unlist and members go together.
/// @param user_data given to each callback; may be NULL. On failure release is not called.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set_store(
    options: *mut khufu_options,
    table: *const khufu_store_vtable,
    user_data: *mut c_void,
) -> khufu_status {
    // SAFETY: the handle and the table are the caller's promise, as the header states it.
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
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "list, unlist and members go together"));
            }
            options.options.set("type", "store")?;
            let store = CallbackStore::new(table, UserData(user_data));
            options.custom = options.custom.clone().store(store);
            Ok(())
        })
    }
}

/// Reads and writes payloads with a serializer of the application's own instead of the one in the option serializer.
///
/// @param table     copied. All callbacks but release are needed.
/// @param user_data given to each callback; may be NULL. On failure release is not called.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set_serializer(
    options: *mut khufu_options,
    table: *const khufu_serializer_vtable,
    user_data: *mut c_void,
) -> khufu_status {
    // SAFETY: the handle and the table are the caller's promise, as the header states it.
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
/// SAFETY: where `table` is not NULL, its first field can be read, and as many bytes as it says.
unsafe fn copied<T: Copy>(table: *const T) -> Result<T, Failure> {
    if table.is_null() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "the table is NULL"));
    }
    // SAFETY: struct_size stands first in every table.
    if unsafe { table.cast::<usize>().read() } < size_of::<T>() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "the table's struct_size is too small"));
    }
    // SAFETY: the table is as large as it must be.
    Ok(unsafe { *table })
}
