//! What helps where something in a file cannot be read: mostly a line of Python.

pub(super) const SUBCLASS: &str = "save plain tensors in Python: torch.save({k: \
     v.detach().clone().as_subclass(torch.Tensor) for k, v in net.state_dict().items()}, path)";

pub(super) const FLOAT: &str = "save another kind in Python: torch.save({k: v.float() for k, v in \
     net.state_dict().items()}, path)";

/// Functions of `torch._utils` whose tensors cannot be read: what they are, and what helps.
pub(super) const UNREADABLE: [(&str, &str, &str); 9] = [
    ("_rebuild_qtensor", "a quantised tensor", DEQUANTIZE),
    ("_rebuild_sparse_tensor", "a sparse tensor", TO_DENSE),
    ("_rebuild_sparse_csr_tensor", "a sparse tensor", TO_DENSE),
    ("_rebuild_nested_tensor", "a nested tensor", PADDED),
    ("_rebuild_meta_tensor_no_storage", "a tensor on the device meta, which has no numbers", META),
    ("_rebuild_wrapper_subclass", "a tensor of a class of its own", SUBCLASS),
    ("_rebuild_device_tensor_from_numpy", "a tensor of another device", CPU),
    ("_rebuild_device_tensor_from_cpu_tensor", "a tensor of another device", CPU),
    ("_rebuild_xla_tensor", "a tensor of another device", CPU),
];

const DEQUANTIZE: &str = "save its numbers in Python: torch.save({k: v.dequantize() for k, v in \
     net.state_dict().items()}, path)";
const TO_DENSE: &str = "save dense tensors in Python: torch.save({k: v.to_dense() if v.layout != \
     torch.strided else v for k, v in net.state_dict().items()}, path)";
const PADDED: &str = "save dense tensors in Python: torch.save({k: \
     torch.nested.to_padded_tensor(v, 0.0) if v.is_nested else v for k, v in \
     net.state_dict().items()}, path)";
const META: &str =
    "make the net with its numbers in Python, then torch.save(net.state_dict(), path)";
const CPU: &str = "save tensors of the CPU in Python: torch.save({k: v.cpu() for k, v in \
     net.state_dict().items()}, path)";

pub(super) const ARRAYS: &str =
    "save tensors in Python: torch.save({k: torch.as_tensor(v) for k, v in arrays.items()}, path)";
pub(super) const QUANTISED_NET: &str =
    "save the net as it was before it was quantised: torch.save(float_net.state_dict(), path)";
pub(super) const ZIP: &str =
    "give them names in Python: torch.save(dict(zip(net.state_dict(), tensors)), path)";
pub(super) const RESAVE: &str =
    "let PyTorch write it in Python: torch.save(net.state_dict(), path)";
pub(super) const WHOLE_NET: &str = "save the parameters alone in Python: torch.save(torch.load(path, \
     weights_only=False).state_dict(), path), or net.state_dict() where the net is made";
