"""Where real containers can be reached: host ports, network modes, addresses."""

import socket
from typing import Any

import pytest

from harness import engine
from harness.ecs_calls import register, register_fargate, run, run_fargate, run_to, wait_status
from harness.ports import free_port
from harness.real_tasks import fetch, forever, of_task, web
from harness.server import Server


def bindings(task: dict[str, Any], name: str = "main") -> list[dict[str, Any]]:
    """networkBindings of a container."""
    return next(c for c in task["containers"] if c["name"] == name)["networkBindings"]


def test_a_fixed_host_port_is_reached(server: Server) -> None:
    port = free_port()
    ports = [{"containerPort": 8000, "hostPort": port}]
    register(server.ecs, "web", web("fixed", portMappings=ports))
    task = run_to(server.ecs, "web", "RUNNING")
    assert bindings(task) == [
        {"bindIP": "127.0.0.1", "containerPort": 8000, "hostPort": port, "protocol": "tcp"}
    ]
    assert fetch("127.0.0.1", port) == "fixed"


def test_dynamic_host_ports_are_reached_and_are_different(server: Server) -> None:
    ports = [{"containerPort": 8000}]
    register(server.ecs, "web", web("dynamic", portMappings=ports))
    arns = run(server.ecs, "web", 3)
    found = [bindings(wait_status(server.ecs, arn, "RUNNING", 60)) for arn in arns]
    numbers = [binding["hostPort"] for (binding,) in found]
    assert len(set(numbers)) == 3
    for number in numbers:
        assert 49153 <= number <= 65535
        assert fetch("127.0.0.1", number) == "dynamic"


def test_a_port_of_each_kind_and_protocol(server: Server) -> None:
    port = free_port()
    ports = [
        {"containerPort": 8000, "hostPort": port},
        {"containerPort": 53, "protocol": "udp"},
    ]
    register(server.ecs, "both", web("both", portMappings=ports))
    found = {b["containerPort"]: b for b in bindings(run_to(server.ecs, "both", "RUNNING"))}
    assert (found[8000]["hostPort"], found[8000]["protocol"]) == (port, "tcp")
    assert found[53]["protocol"] == "udp"
    assert found[53]["hostPort"] >= 49153


def test_the_publish_address_may_be_another(start_server: Any, busybox: str) -> None:
    server = start_server(options=["--publish-address", "127.0.0.2"])
    register(server.ecs, "web", web("second", portMappings=[{"containerPort": 8000}]))
    (binding,) = bindings(run_to(server.ecs, "web", "RUNNING"))
    assert binding["bindIP"] == "127.0.0.2"
    assert fetch("127.0.0.2", binding["hostPort"]) == "second"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", binding["hostPort"]), 5):
        pass


def test_a_port_that_somebody_else_has_stops_the_task(server: Server) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        ports = [{"containerPort": 8000, "hostPort": port}]
        register(server.ecs, "web", web("late", portMappings=ports))
        task = run_to(server.ecs, "web", "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert str(port) in task["stoppedReason"]


def test_tasks_of_one_server_share_a_bridge_network_of_their_own(server: Server) -> None:
    register(server.ecs, "web", web("neighbour"))
    found = of_task(run_to(server.ecs, "web", "RUNNING")["taskArn"])["main"]
    (name,) = found["NetworkSettings"]["Networks"]
    assert name in engine.networks_of_node(server.node_id)
    assert fetch(found["NetworkSettings"]["Networks"][name]["IPAddress"], 8000) == "neighbour"


def test_host_mode_is_the_hosts_own_network(server: Server) -> None:
    port = free_port()
    ports = [{"containerPort": port}]
    register(server.ecs, "host", web("on the host", port, portMappings=ports), networkMode="host")
    task = run_to(server.ecs, "host", "RUNNING")
    found = of_task(task["taskArn"])["main"]
    assert found["HostConfig"]["NetworkMode"] == "host"
    assert fetch("127.0.0.1", port) == "on the host"
    (binding,) = bindings(task)
    assert (binding["containerPort"], binding["hostPort"]) == (port, port)


def test_mode_none_has_no_network(server: Server) -> None:
    register(server.ecs, "alone", forever(), networkMode="none")
    task = run_to(server.ecs, "alone", "RUNNING")
    found = of_task(task["taskArn"])["main"]
    assert found["HostConfig"]["NetworkMode"] == "none"
    assert bindings(task) == []


def test_a_fargate_task_has_an_address_of_its_own(server: Server) -> None:
    ports = [{"containerPort": 8000}]
    register_fargate(server.ecs, "fargate", web("mine", portMappings=ports))
    addresses = []
    for arn in run_fargate(server.ecs, "fargate", 2):
        task = wait_status(server.ecs, arn, "RUNNING", 60)
        assert "containerInstanceArn" not in task
        networks = of_task(arn)["main"]["NetworkSettings"]["Networks"]
        addresses += [network["IPAddress"] for network in networks.values()]
    assert len(set(addresses)) == 2
    assert [fetch(address, 8000) for address in addresses] == ["mine", "mine"]
