import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from recommender.data_dir import DataDirectory
from recommender.errors import VersionNotFoundError
from tests.support.event_files import NOW, archive, event
from tests.unit.training.conftest import METRICS
from tests.unit.training.reports.test_version_report import sections
from training.analytics.restraint.restraint import NO_DATA
from training.artifacts import save
from training.commands.model.report import command


class TestCommand:
    @pytest.fixture
    def home(self, tmp_path, monkeypatch) -> DataDirectory:
        monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
        return DataDirectory(tmp_path)

    def run(self, *arguments: object) -> dict:
        result = CliRunner().invoke(command, [*map(str, arguments), "--json"], catch_exceptions=False)
        return json.loads(result.output)

    def test_the_newest_version_beside_the_one_before(self, home, make_version):
        for version in ("v1", "v2", "v3"):
            save(make_version(version), home)
        told = self.run()
        assert (told["version"], told["previous"]) == ("v3", "v2")
        page = (home.reports / "v3.html").read_bytes()
        assert told["bytes"] == len(page)
        assert b"Compared with v2." in page

    def test_the_first_version_has_none_before(self, home, make_version, tmp_path):
        for version in ("v1", "v2"):
            save(make_version(version), home)
        told = self.run("v1", "--out", tmp_path / "here" / "page.html")
        assert (told["version"], told["previous"]) == ("v1", None)
        assert "drift" not in sections((tmp_path / "here" / "page.html").read_text())

    def test_with_a_ledger_it_says_what_each_position_was_worth(self, home, make_version, tmp_path):
        save(make_version(), home)
        events = [
            event(
                f"{who}{what}",
                who,
                product,
                event_type=what,
                placement="home",
                occurred_at=NOW - timedelta(days=30),
                **more,
            )
            for who, product in (("ANNA", "MILK"), ("BEN", "TEA"))
            for what, more in (("impression", {"rank": 1}), ("purchase", {}))
        ]
        archive(tmp_path / "ledger", *events, event("late", "CLEO"))
        self.run("--ledger", tmp_path / "ledger")
        page = (home.reports / "v1.html").read_text()
        assert "restraint" in sections(page)
        assert "home: bought by position; not causal, an upper bound" in page
        assert "<p>home: upper bound, not causal: " in page
        assert "ANNA" not in page

    def test_with_a_ledger_in_which_nothing_was_shown_it_says_so(self, home, make_version, tmp_path):
        save(make_version(), home)
        archive(tmp_path / "ledger", event("one"))
        self.run("--ledger", tmp_path / "ledger")
        assert f"<p>{NO_DATA}.</p>" in (home.reports / "v1.html").read_text()

    def test_a_longer_evaluation_takes_the_place_of_the_manifests(self, home, make_version, tmp_path):
        save(make_version(), home)
        scores = {"reprise": {"recall@10": 0.456}, "bpr": {"recall@10": 0.1}}
        (tmp_path / "e.json").write_text(json.dumps({**METRICS, "scores": scores}))
        self.run("--evaluation", tmp_path / "e.json")
        page = (home.reports / "v1.html").read_text()
        assert "0.456" in page
        assert "Best sellers" not in page

    def test_nothing_trained(self, home):
        with pytest.raises(VersionNotFoundError, match="run `reprise train FILE` first"):
            self.run()

    def test_an_unknown_version(self, home, make_version):
        save(make_version(), home)
        with pytest.raises(VersionNotFoundError, match=r"'v7' is not in .*; there is v1"):
            self.run("v7")
