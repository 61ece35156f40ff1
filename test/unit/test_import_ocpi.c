/*
 * test_import_ocpi.c -- OCPI tariffs as JSON text: what is written, what is refused with its path
 */
#include "check.h"
#include "kit_json.h"
#include "rating/import.h"

static EbFault fault;

/* The text that is written, or "status detail" */
static const char *
import(const char *source)
{
	static char text[4000];
	EbJson json;
	EbStatus status;

	eb_json_init(&json, text, sizeof(text) - 1);
	status = eb_import_ocpi(kit_json(source), (EbText){"UTC", 3}, &json, &fault);
	if (status != EB_OK)
		snprintf(text, sizeof(text), "%d %s", (int) status, fault.detail);
	else
		text[json.len] = '\0';
	return text;
}

#define HEAD \
	"{\"elecbill\":1,\"currency\":\"EUR\",\"zone\":\"UTC\",\"round\":{\"line\":null},\"components\":["
#define ELEMENT(prices, more) \
	"{'currency':'EUR','elements':[{'price_components':[" prices "]" more "}]}"
#define ENERGY "{'type':'ENERGY','price':0.25,'vat':10,'step_size':1}"

static void
test_written(void)
{
	CHECK_STR(import(ELEMENT(ENERGY, "")),
			  HEAD "{\"code\":\"energy\",\"kind\":\"energy\",\"group\":\"energy\","
				   "\"lane\":\"energy\",\"price\":0.25,\"step_wh\":1,\"vat\":10}]}");
	CHECK_STR(import(ELEMENT("{'type':'TIME','price':'1.5'},{'type':'TIME','price':2}",
							 ",'restrictions':{'end_time':'08:00','min_kwh':1.5,"
							 "'day_of_week':['SUNDAY','MONDAY'],"
							 "'reservation':'RESERVATION_EXPIRES'}")),
			  HEAD "{\"code\":\"reservation_time\",\"kind\":\"reserve_time\","
				   "\"group\":\"reservation_time\",\"lane\":\"reservation_time\",\"when\":{"
				   "\"time\":[\"00:00\",\"08:00\"],\"days\":[\"mon\",\"sun\"],"
				   "\"kwh\":{\"ge\":1.5},\"reservation\":\"expired\"},\"price\":1.5,\"vat\":0},"
				   "{\"code\":\"reservation_time_2\",\"kind\":\"reserve_time\","
				   "\"group\":\"reservation_time\",\"lane\":\"reservation_time\",\"when\":{"
				   "\"time\":[\"00:00\",\"08:00\"],\"days\":[\"mon\",\"sun\"],"
				   "\"kwh\":{\"ge\":1.5},\"reservation\":\"expired\"},\"price\":2,\"vat\":0}]}");
}

static void
test_refused(void)
{
	CHECK_STR(import("[]"), "1 must be an object");
	CHECK_STR(import(ELEMENT(ENERGY, ",'restrictions':{'max_soc':80}")),
			  "6 elements[0].restrictions: has a key \"max_soc\" that is not known");
	CHECK_STR(import(ELEMENT("{'type':'ENERGY'}", "")),
			  "1 elements[0].price_components[0]: \"price\" is missing");
	CHECK_STR(import(ELEMENT(ENERGY ",{'type':'FLAT','price':'x'}", "")),
			  "1 elements[0].price_components[1].price: must be a number");
	CHECK_STR(import(ELEMENT(ENERGY, ",'restrictions':{'reservation':'RESERVATION'}")),
			  "6 elements[0].price_components[0].type: a reservation has FLAT and TIME, no ENERGY");
	CHECK_STR(import(ELEMENT(ENERGY, ",'restrictions':{'min_kwh':5,'max_kwh':4}")),
			  "1 elements[0].restrictions.max_kwh: must be above the minimum");
}

/* A text that does not fit is measured, and is the same when it fits. */
static void
test_measured(void)
{
	char text[1000];
	EbJson small;
	EbJson large;

	eb_json_init(&small, text, 10);
	CHECK_INT(eb_import_ocpi(kit_json(ELEMENT(ENERGY, "")), (EbText){"UTC", 3}, &small, &fault),
			  EB_OK);
	CHECK(!eb_json_fits(&small));
	eb_json_init(&large, text, small.len);
	CHECK_INT(eb_import_ocpi(kit_json(ELEMENT(ENERGY, "")), (EbText){"UTC", 3}, &large, &fault),
			  EB_OK);
	CHECK(eb_json_fits(&large));
}

static void
test_valid(void)
{
	int64_t from_us;
	int64_t to_us;

	CHECK_INT(eb_import_ocpi_valid(kit_json("{'start_date_time':'2000-01-01T00:00:01',"
											"'end_date_time':'2000-01-01T01:00:00+00:30'}"),
								   &from_us, &to_us, &fault),
			  EB_OK);
	CHECK_INT(from_us, EB_SECOND_US);
	CHECK_INT(to_us, 30 * EB_MINUTE_US);
	CHECK_INT(eb_import_ocpi_valid(kit_json("{}"), &from_us, &to_us, &fault), EB_OK);
	CHECK_INT(from_us, INT64_MIN);
	CHECK_INT(to_us, INT64_MAX);
	CHECK_INT(eb_import_ocpi_valid(kit_json("{'end_date_time':7}"), &from_us, &to_us, &fault),
			  EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "end_date_time: must be an instant like 2026-01-05T16:35:00Z");
}

int
main(void)
{
	test_written();
	test_refused();
	test_measured();
	test_valid();
	return check_done("import_ocpi");
}
