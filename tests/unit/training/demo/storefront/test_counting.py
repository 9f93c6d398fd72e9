"""When the demo needs a worker."""

from recommender.events.event import Event
from recommender.storage.campaign import Campaign
from recommender.storage.pick_jobs import PickJob
from tests.fakes.shops import MemoryShopStorage
from tests.support.small_shop import NOW, VERSION
from training.demo.storefront.counting import has_work


def test_there_is_work_while_an_event_waits_or_a_campaign_is_without_its_picks() -> None:
    storage = MemoryShopStorage()
    assert not has_work(storage, "default")
    campaign = storage.contacts("default").begin(Campaign("w48", "everyone", 4, VERSION, NOW))
    assert not has_work(storage, "default"), "one that `reprise send` began has no picks to be made"
    job = storage.jobs("default").add(PickJob(campaign, blocks=1))
    assert has_work(storage, "default")
    taken = storage.jobs("default").take("a worker")
    assert taken is not None
    assert storage.jobs("default").save(job.advance(0, 0, []), "a worker", 0, {})
    assert not has_work(storage, "default")
    event = Event(event_id="1", event_type="view", customer_id="ANNA", product_id="MILK", occurred_at=NOW)
    storage.event_log("default").accept([event], NOW, 10)
    assert has_work(storage, "default")
    assert not has_work(storage, "other")
