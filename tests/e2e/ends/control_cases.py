"""Jobs that are late, cancelled, completed or interfered with, by the ids of their rows; long ones first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT
from tests.e2e import recipes
from tests.e2e.ends.held import Held
from tests.e2e.ends.interference import TEN_SECONDS
from tests.e2e.ends.running import Case
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

MANY: Final = 100_000
"""Records that the model which sleeps scores for six minutes."""
AT_ONCE: Final = 20
EVICTED_SECONDS: Final = 300
Answers = dict[str, tuple[int, Mapping[str, Any]]]
"""Row or name -> status and document of the server's answer."""


def _many(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.rows(MANY))


def _ten_seconds(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.rows(TEN_SECONDS))


def sleeping(name: str) -> Recipe:
    """Scores a batch a second."""
    return Recipe(name=name, artifact=recipes.SLEEP)


def until_it_scores(jobs: Jobs, job: str) -> None:
    jobs.until(job, lambda found: found["state"] == "RUNNING" and (found["records"] or {}).get("read", 0) > 0)


def _until(jobs: Jobs, job: str, state: str) -> None:
    jobs.until(job, lambda found: found["state"] == state)


def _cancel(jobs: Jobs, job: str) -> tuple[int, Mapping[str, Any]]:
    answer = jobs.ask("POST", f"/v1/jobs/{job}/cancel")
    return answer.status_code, answer.json()


def complete(jobs: Jobs, job: str, outcome: str = "Succeeded") -> tuple[int, Mapping[str, Any]]:
    answer = jobs.ask("PUT", f"/v1/jobs/{job}/completion", {"outcome": outcome, "message": "so I say"})
    return answer.status_code, answer.json()


def _cancel_while_it_scores(jobs: Jobs, job: str) -> Answers:
    until_it_scores(jobs, job)
    first = _cancel(jobs, job)
    jobs.finish(job)
    return {"first": first, "again": _cancel(jobs, job)}


def _cancel_while_it_loads(jobs: Jobs, job: str) -> Answers:
    jobs.until(job, lambda found: found["task"] == "wait")
    return {"completed-before-it-scores": complete(jobs, job), "first": _cancel(jobs, job)}


def _cancel_at_once(jobs: Jobs, job: str) -> Answers:
    until_it_scores(jobs, job)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: _cancel(jobs, job), range(AT_ONCE)))
    return {str(number): answer for number, answer in enumerate(answers)}


def _task_pods(job: str, task: str) -> tuple[str, ...]:
    return "-n", ENVIRONMENT, "-l", f"{names.JOB_ID}={job},{names.TEKTON_PIPELINE_TASK}={task}"


def _delete_the_wait_pod(jobs: Jobs, job: str) -> None:
    until_it_scores(jobs, job)
    jobs.platform.kubectl("delete", "pod", *_task_pods(job, "wait"), "--grace-period=0", "--force")


def _evict_the_wait_pod(jobs: Jobs, job: str) -> None:
    """By more than may be in its folder for temporary files: the kubelet sees that within a minute or so."""
    until_it_scores(jobs, job)
    (pod,) = jobs.platform.objects("pods", *_task_pods(job, "wait"))
    write = "open('/tmp/much', 'wb').write(bytes(80 * 2**20))"
    jobs.platform.kubectl("-n", ENVIRONMENT, "exec", pod["metadata"]["name"], "--", "python3", "-c", write)


def _uninstall(jobs: Jobs, job: str) -> None:
    until_it_scores(jobs, job)
    jobs.platform.run("helm", "uninstall", job, "--namespace", ENVIRONMENT)


def _delete_the_service(jobs: Jobs, job: str) -> None:
    until_it_scores(jobs, job)
    jobs.platform.kubectl("-n", ENVIRONMENT, "delete", "deployment", "-l", f"{names.RELEASE}={job}", "--wait=false")


def _holding(task: Literal["install", "uninstall"], act: Callable[[Jobs, str], object], **case: Any) -> Case:
    """`act` while this task cannot end because of an object that stays; then the object is let go."""
    held = Held(is_release=task == "install")

    def meanwhile(jobs: Jobs, job: str) -> object:
        assert job == held.job
        try:
            return act(jobs, job)
        finally:
            held.let_go(jobs.platform)

    more = {**case.pop("more", {}), "key": held.key}
    return Case(before=lambda jobs, _: held.put(jobs.platform), meanwhile=meanwhile, more=more, **case)


def _cancel_while_it_installs(jobs: Jobs, job: str) -> Answers:
    """What holds the task is let go when Tekton has ended it; on a busy machine it would get done before."""
    _until(jobs, job, "INSTALLING")
    first = _cancel(jobs, job)
    jobs.until(job, lambda _: not _works(jobs, job, "install"))
    return {"first": first}


def _works(jobs: Jobs, job: str, task: str) -> bool:
    pods = jobs.platform.objects("pods", *_task_pods(job, task))
    return any(pod["status"]["phase"] in {"Pending", "Running"} for pod in pods)


def _delete_the_install_pod(jobs: Jobs, job: str) -> None:
    _until(jobs, job, "INSTALLING")
    jobs.platform.kubectl("delete", "pod", *_task_pods(job, "install"))


def _delete_the_uninstall_pod(jobs: Jobs, job: str) -> None:
    _until(jobs, job, "FINISHING")
    jobs.platform.kubectl("delete", "pod", *_task_pods(job, "uninstall"))


def _ask_while_it_finishes(jobs: Jobs, job: str) -> Answers:
    _until(jobs, job, "FINISHING")
    return {"cancelled-while-finishing": _cancel(jobs, job), "completed-while-finishing": complete(jobs, job)}


CASES: Final[Mapping[str, Case]] = {
    "finish-deadline": _holding(
        "uninstall",
        lambda jobs, job: jobs.finish(job),
        recipe=Recipe(name="stuck"),
        more={"deadlines": {"finish": "15s"}},
    ),
    "ready-deadline": Case(
        recipe=Recipe(name="unready", artifact=recipes.SLOW_TO_LOAD), more={"deadlines": {"ready": "15s"}}
    ),
    "install-deadline": _holding(
        "install",
        lambda jobs, job: _until(jobs, job, "FINISHING"),
        recipe=Recipe(name="occupied"),
        more={"deadlines": {"install": "5s"}},
    ),
    "task-pod-evicted": Case(
        recipe=sleeping("evicted"), source=_many, meanwhile=_evict_the_wait_pod, limit_seconds=EVICTED_SECONDS
    ),
    "task-pod-made-again": Case(recipe=sleeping("followed-again"), source=_ten_seconds, meanwhile=_delete_the_wait_pod),
    "run-deadline": Case(recipe=sleeping("late"), source=_many, more={"deadlines": {"run": "5s"}}),
    "cancelled-while-finishing": _holding("uninstall", _ask_while_it_finishes, recipe=Recipe(name="finishing")),
    "cancelled-while-running": Case(recipe=sleeping("scoring"), source=_many, meanwhile=_cancel_while_it_scores),
    "cancelled-by-many": Case(recipe=sleeping("crowded"), source=_many, meanwhile=_cancel_at_once),
    "cancelled-while-loading": Case(
        recipe=Recipe(name="loading", artifact=recipes.SLOW_TO_LOAD), meanwhile=_cancel_while_it_loads
    ),
    "cancelled-while-installing": _holding("install", _cancel_while_it_installs, recipe=Recipe(name="helm")),
    "uninstall-pod-deleted": _holding("uninstall", _delete_the_uninstall_pod, recipe=Recipe(name="no-uninstall")),
    "install-pod-deleted": _holding("install", _delete_the_install_pod, recipe=Recipe(name="no-install")),
    "release-deleted": Case(recipe=sleeping("uninstalled"), source=_many, meanwhile=_uninstall),
    "service-deleted": Case(recipe=sleeping("no-service"), source=_many, meanwhile=_delete_the_service),
}
