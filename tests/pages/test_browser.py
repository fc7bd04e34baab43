"""A page in Chromium: what moves, what is read out, that nothing is fetched, and that it fits a phone.

Screenshots are kept in the folder that JAXGPT_SCREENSHOTS names, else in pytest's own.
"""

import base64
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from page_blocks import ATTENTION, LABELS, LAYERS, SCORES, STEPS, page
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.support.wait import WebDriverWait

WIDTHS = (400, 1280)


def programs() -> tuple[str, str]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no chromium with chromedriver; on Debian: apt-get install chromium chromium-driver")
    return browser, driver


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    binary, driver = programs()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    # Of a container: no sandbox inside another one, and little shared memory.
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield found
    found.quit()


@pytest.fixture
def opened(browser, address):
    """The page, opened anew on a wide screen; afterwards the browser must have had nothing to complain of."""
    size(browser, 1280)
    browser.get(address)
    yield browser
    assert browser.get_log("browser") == []


def size(browser, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def media(browser, kind: str, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})


def all_of(browser, selector: str):
    return browser.find_elements("css selector", selector)


def readouts(browser, section: int) -> list[str]:
    return [one.text for one in all_of(browser, f"#s{section} .readout") if one.is_displayed()]


def wait_for(browser, what) -> None:
    WebDriverWait(browser, 5, 0.05).until(lambda _: what())


def told(row: int, column: int) -> str:
    """What a heatmap reads out; its values are kept to 1/255."""
    value = round(255 * ATTENTION[row, column]) / 255
    return f"{LABELS[row]} \u2192 {LABELS[column]}: {value:.2f}"


def wait_readout(browser, section: int, *wanted: str) -> None:
    """Until one of a section's readouts has all that is wanted."""
    try:
        wait_for(browser, lambda: any(all(w in r for w in wanted) for r in readouts(browser, section)))
    except TimeoutException:
        pytest.fail(f"wanted {wanted}, read {readouts(browser, section)}")


def test_nothing_is_fetched(opened, address):
    messages = [json.loads(line["message"])["message"] for line in opened.get_log("performance")]
    asked = {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}
    assert address in asked  # so that the log is one of requests
    assert all(url == address or url.startswith("data:image/png") for url in asked)
    entries = opened.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert all(name.startswith("data:") for name in entries)
    opened.execute_script("new Image().src = 'http://127.0.0.1:9/x.png'")
    wait_for(opened, lambda: "Content Security Policy" in str(opened.get_log("browser")))


def shown_frames(browser, chooser: str) -> list[int]:
    frames = all_of(browser, f"{chooser} > .frames > .frame")
    return [place for place, frame in enumerate(frames) if frame.is_displayed()]


@pytest.mark.parametrize("way", ["keys", "pointer"])
def test_each_slider_changes_what_is_shown(opened, way):
    chooser = "#s3 .chooser"
    sliders = all_of(opened, f"{chooser} > .controls input")
    outputs = all_of(opened, f"{chooser} > .controls output")
    assert shown_frames(opened, chooser) == [5]

    def to_first(slider):
        if way == "keys":
            slider.send_keys(Keys.ARROW_LEFT)
        else:  # its left end
            left = 2 - slider.size["width"] // 2
            ActionChains(opened).move_to_element_with_offset(slider, left, 0).click().perform()

    to_first(sliders[1])
    assert shown_frames(opened, chooser) == [4] and outputs[1].text == LAYERS[0]
    assert sliders[1].get_attribute("aria-valuetext") == LAYERS[0]
    to_first(sliders[0])
    expected = 1 if way == "keys" else 0
    assert shown_frames(opened, chooser) == [2 * expected] and outputs[0].text == STEPS[expected]
    sliders[0].send_keys(Keys.END, Keys.ARROW_LEFT)
    assert outputs[0].text == "640" and shown_frames(opened, chooser) == [2]
    assert f"step 640, layer {LAYERS[0]}, head 0" in all_of(opened, "#s3")[0].text


def test_a_chooser_inside_of_another_has_its_own_slider(opened):
    outer = all_of(opened, "#s4 > .chooser > .controls input")[0]
    inner = all_of(opened, "#s4 .chooser .chooser > .controls input")
    assert "2,000b" in all_of(opened, "#s4")[0].text
    inner[2].send_keys(Keys.ARROW_LEFT)
    assert "2,000a" in all_of(opened, "#s4")[0].text
    outer.send_keys(Keys.HOME)
    text = all_of(opened, "#s4")[0].text
    assert "step 0" in text and "0b" in text and "2,000" not in text


def test_a_heatmap_reads_its_values_out(opened):
    (map_,) = all_of(opened, "#s2 .map")
    row, column = 2, 6
    width, height = map_.size["width"], map_.size["height"]
    x, y = (column + 0.5 - 4) * width / 8, (row + 0.5 - 4) * height / 8
    ActionChains(opened).move_to_element_with_offset(map_, int(x), int(y)).perform()

    wait_readout(opened, 2, told(row, column))
    assert [token.text.strip() for token in all_of(opened, "#s2 .t.linked")] == [",", "<b>&"]
    ActionChains(opened).move_to_element(all_of(opened, "#s2 h2")[0]).perform()
    wait_for(opened, lambda: not any(readouts(opened, 2)))
    opened.execute_script("document.querySelector('#s2 .text').focus()")
    ActionChains(opened).send_keys(Keys.TAB, Keys.ARROW_RIGHT, Keys.ARROW_UP).perform()
    wait_readout(opened, 2, told(1, 7))  # beside where the pointer was
    assert opened.execute_script("return getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_every_value_of_a_heatmap(opened):
    """By the arrow keys from the last row's first value, as a reader without a pointer would."""
    opened.execute_script("document.querySelector('#s2 .text').focus()")
    ActionChains(opened).send_keys(Keys.TAB, Keys.PAGE_UP).perform()
    for row in range(8):
        ActionChains(opened).send_keys(Keys.HOME).perform()
        wait_readout(opened, 2, told(row, 0))
        ActionChains(opened).send_keys(Keys.END, Keys.ARROW_LEFT).perform()
        wait_readout(opened, 2, told(row, 6))
        ActionChains(opened).send_keys(Keys.ARROW_DOWN).perform()


def test_a_token_reads_every_score_out_and_is_marked_elsewhere(opened):
    token = all_of(opened, "#s2 .t")[1]
    ActionChains(opened).move_to_element(token).perform()
    wait_readout(opened, 2, LABELS[1], "gradient: \u22122", "leave one out: 0.1")
    # The same token as a row and as a column of the heatmap: there the readout is the value of both.
    wait_readout(opened, 2, told(1, 1))
    assert len([s for s in all_of(opened, "#s2 .stripe") if s.is_displayed()]) == 2
    ActionChains(opened).move_to_element(all_of(opened, "#s2 h2")[0]).perform()
    opened.execute_script("document.querySelector('#s2 .controls input').focus()")
    ActionChains(opened).send_keys(Keys.TAB, Keys.END).perform()
    wait_readout(opened, 2, "gradient: \u2013", "leave one out: 0.7")


def test_another_score_shades_the_text_anew(opened):
    def shares():
        return [
            opened.execute_script("return +getComputedStyle(arguments[0]).getPropertyValue('--s')", token)
            for token in all_of(opened, "#s2 .t")
        ]

    assert shares() == pytest.approx(np.abs(np.nan_to_num(SCORES["gradient"])) / 2, abs=0.01)
    all_of(opened, "#s2 .controls input")[0].send_keys(Keys.ARROW_RIGHT)
    assert shares() == pytest.approx(SCORES["leave one out"] / 0.7, abs=0.01)
    assert all_of(opened, "#s2 .scale")[0].text.split("\n")[0] == "leave one out"
    assert len(all_of(opened, "#s2 .t.pos")) == 7 and not all_of(opened, "#s2 .t.neg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_a_wide_screen(opened, scheme, tmp_path):
    folder = Path(os.environ.get("JAXGPT_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    media(opened, "screen", scheme)
    opened.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    for width in WIDTHS:
        size(opened, width)
        assert opened.execute_script("return document.documentElement.scrollWidth") <= width
        picture = opened.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        (folder / f"page-{scheme}-{width}.png").write_bytes(base64.b64decode(picture["data"]))
    colour = opened.execute_script("return getComputedStyle(document.querySelector('svg text')).fill")
    assert (min(map(int, colour[4:-1].split(","))) > 128) == (scheme == "dark")
    media(opened, "screen", "light")


def test_paper_has_no_controls_and_the_last_frames(opened):
    all_of(opened, "#s3 .slider input")[0].send_keys(Keys.HOME)
    media(opened, "print", "dark")
    assert not [one for one in all_of(opened, ".controls, .readout") if one.is_displayed()]
    assert shown_frames(opened, "#s3 .chooser") == [5]
    assert "step 2,000, layer last" in all_of(opened, "#s3")[0].text
    for name in ("body", "figcaption", "h2", "th", "small"):
        assert all_of(opened, name)[0].value_of_css_property("color") == "rgba(0, 0, 0, 1)"
    media(opened, "screen", "light")


def test_without_its_script_the_last_frames_are_shown(opened, address):
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    opened.get(address)
    try:
        assert shown_frames(opened, "#s3 .chooser") == [5]
        assert not [one for one in all_of(opened, ".controls") if one.is_displayed()]
        assert "step 2,000, layer last" in all_of(opened, "#s3")[0].text
    finally:
        opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
