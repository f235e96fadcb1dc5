"""What Debian's python3-kubernetes does with a cluster. Prints one line for each thing that went well.

Usage: python-client.py KUBECONFIG [POD WEB]: with the names of a running pod and of one that serves HTTP, streams.
"""

import select
import sys
from types import SimpleNamespace

import urllib3
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward, stream, ws_client

config.load_kube_config(config_file=sys.argv[1])
core = client.CoreV1Api()
namespace = "default"


def objects():
    made = core.create_namespaced_config_map(
        namespace,
        client.V1ConfigMap(metadata=client.V1ObjectMeta(name="py", labels={"made": "by-python"}), data={"a": "1"}),
    )
    print("created", made.metadata.name)
    listed = core.list_namespaced_config_map(namespace, label_selector="made=by-python")
    print("listed", [(item.metadata.name, item.data) for item in listed.items])
    page = core.list_namespace(limit=2)
    rest = core.list_namespace(limit=500, _continue=page.metadata._continue)
    print("paged", len(page.items), len(page.items) + len(rest.items) >= 4)
    patched = core.patch_namespaced_config_map("py", namespace, {"data": {"b": "2"}})
    print("patched", patched.data)
    patched.data = {"c": "3"}
    print("replaced", core.replace_namespaced_config_map("py", namespace, patched).data)
    patched.metadata.resource_version = made.metadata.resource_version
    try:
        core.replace_namespaced_config_map("py", namespace, patched)
    except ApiException as error:
        print("stale", error.status, error.reason)
    apps = client.AppsV1Api()
    container = {"name": "c", "image": "example.test/x"}
    template = {"metadata": {"labels": {"app": "py"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "py"}}, "replicas": 2, "template": template}
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "py"}, "spec": spec})
    print("scaled", apps.patch_namespaced_deployment_scale("py", namespace, {"spec": {"replicas": 1}}).spec.replicas)
    apps.delete_namespaced_deployment("py", namespace)


def events():
    seen = []
    since = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.patch_namespaced_config_map("py", namespace, {"data": {"d": "4"}})
    core.delete_namespaced_config_map("py", namespace)
    watching = watch.Watch()
    for event in watching.stream(
        core.list_namespaced_config_map, namespace, resource_version=since, field_selector="metadata.name=py", timeout_seconds=20
    ):
        seen.append(event["type"])
        if event["type"] == "DELETED":
            watching.stop()
    print("watched", seen)


class Poll:
    """This client waits for the socket even when what it waits for is already decrypted."""

    def __init__(self):
        self.real = select.poll()

    def register(self, socket, events):
        self.socket = socket
        self.real.register(socket, events)

    def unregister(self, socket):
        self.real.unregister(socket)

    def poll(self, timeout):
        return [self.socket] if self.socket.pending() else self.real.poll(timeout)


ws_client.select = SimpleNamespace(poll=Poll, POLLIN=select.POLLIN, select=select.select)


def streams(pod, web):
    command = ["sh", "-c", "echo out; echo err >&2; read line; echo got $line; exit 3"]
    session = stream(
        core.connect_get_namespaced_pod_exec, pod, namespace, command=command,
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )
    session.write_stdin("hello\n")
    session.run_forever(timeout=20)
    print("executed", repr(session.read_stdout()), repr(session.read_stderr()), session.returncode)
    forward = portforward(core.connect_get_namespaced_pod_portforward, web, namespace, ports="80")
    socket = forward.socket(80)
    socket.setblocking(True)
    socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    print("forwarded", socket.recv(15), forward.error(80))


urllib3.disable_warnings()
if len(sys.argv) > 2:
    streams(sys.argv[2], sys.argv[3])
else:
    objects()
    events()
