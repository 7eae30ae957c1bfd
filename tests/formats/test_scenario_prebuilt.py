"""What is prebuilt, in scenario files."""

from dataclasses import replace

import pytest

from bisector.core.model.prebuilt import Prebuilt
from bisector.core.model.scenario import BuildRecipe
from bisector.errors import ScenarioError
from bisector.formats.bundle import scenario_table
from bisector.formats.scenario import parse_scenario, scenario_from
from tests.report.worlds import MERGE, finished

RUN = '[run]\ncommand = ["true"]\n'
SHA = "0123456789" * 4


def parsed(build: str) -> BuildRecipe:
    return parse_scenario(f'name = "x"\n[build]\n{build}\n{RUN}'.encode(), where="here").build


def test_an_image_or_a_command_of_a_commit() -> None:
    image = parsed('prebuilt = "registry.example:5000/team/app:main-{short}"').prebuilt
    assert image is not None
    assert (image.at(SHA).name, image.at(SHA).words) == ("registry.example:5000/team/app:main-0123456", ())
    recipe = parsed('image = "base"\nprebuilt = ["sh", "-c", "fetch {sha} ${HOME} >{out}/x"]')
    assert recipe.prebuilt == Prebuilt(command=("sh", "-c", "fetch {sha} ${HOME} >{out}/x"))
    assert recipe.prebuilt.at(SHA).name == f"sh -c fetch {SHA} ${{HOME}} >{{out}}/x"
    assert (recipe.needs_docker, parsed('prebuilt = "a:{sha}"').needs_docker) == (False, True)


def test_builds_of_two_commits_have_two_keys() -> None:
    recipe = parsed('prebuilt = "app:{sha}"')
    assert recipe.prebuilt is not None
    keys = {replace(recipe, prebuilt=recipe.prebuilt.at(sha)).identity() for sha in (SHA, "f" * 40)}
    assert len({*keys, recipe.identity(), BuildRecipe().identity()}) == 4


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ('prebuilt = "app:latest"', "put {sha} or {short} into its name"),
        ('prebuilt = "app:{sha}-{branch}"', "{branch} stands for nothing here"),
        ('prebuilt = "app:{sha"', "put {sha} or {short} into its name"),
        ('prebuilt = "app:{sha}-{"', "is no name of an image"),
        ('prebuilt = "app :{sha}"', "is no name of an image"),
        ('prebuilt = "{sha}"', "is no name of an image"),
        ("prebuilt = []", "the command has no words"),
        ('prebuilt = ["get", "{commit}"]', "{commit} stands for nothing here"),
        ('prebuilt = "app:{sha}"\nsteps = ["make"]', "leave out steps"),
        ('prebuilt = "app:{sha}"\nimage = "base"', "leave out image"),
        ('prebuilt = ["get"]\nas_of = "2026-01-01"', "leave out as_of"),
    ],
)
def test_a_mistake_is_told(build: str, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parsed(build)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    "build", ['prebuilt = "app:{sha}"', 'image = "b"\nprebuilt = ["get", "{sha}"]\nenv = {A = "b"}']
)
def test_a_bundle_holds_it(build: str) -> None:
    scenario = parse_scenario(f'name = "x"\n[build]\n{build}\n{RUN}'.encode(), where="here")
    request = replace(finished(MERGE).request, scenario=scenario)
    assert scenario_from(scenario_table(request, scenario.metrics[0]), where="the bundle").build == scenario.build
