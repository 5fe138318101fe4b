"""torchrun, with its store on the loopback interface: by itself it listens on all interfaces, and
whoever reaches a store can change what the processes agree on."""

import socket

import torch.distributed
from torch.distributed.elastic.rendezvous import c10d_rendezvous_backend
from torch.distributed.run import main


class LoopbackStore(torch.distributed.TCPStore):
    def __init__(self, host_name, port, *args, is_master=False, **options):
        if is_master:
            listener = socket.socket()
            listener.bind(("127.0.0.1", port))
            port = listener.getsockname()[1]
            options["master_listen_fd"] = listener.detach()
        super().__init__(host_name, port, *args, is_master=is_master, **options)


torch.distributed.TCPStore = LoopbackStore
c10d_rendezvous_backend.TCPStore = LoopbackStore
main()
