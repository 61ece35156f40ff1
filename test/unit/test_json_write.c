/*
 * test_json_write.c -- JSON text in memory that fits, that does not, and that is not there
 */
#include "check.h"
#include "rating/json_write.h"

static void
write_some(EbJson *json)
{
	eb_json_open_object(json);
	eb_json_put_int(json, "a", -7);
	eb_json_key(json, "b");
	eb_json_open_array(json);
	eb_json_open_object(json);
	eb_json_close_object(json);
	eb_json_open_array(json);
	eb_json_close_array(json);
	eb_json_decimal(json, 1250, 3);
	eb_json_null(json);
	eb_json_bool(json, false);
	eb_json_close_array(json);
	eb_json_put_string(json, "c\"\\\n", "\x01 caf\xc3\xa9");
	eb_json_put_decimal(json, "d", (eb_int128) INT64_MAX * 10, 15);
	eb_json_put_bool(json, "e", true);
	eb_json_key(json, "f");
	eb_json_open_array(json);
	eb_json_minute(json, 0);
	eb_json_minute(json, 1440);
	eb_json_date(json, 0);
	eb_json_close_array(json);
	eb_json_close_object(json);
}

static const char text[] =
	"{\"a\":-7,\"b\":[{},[],1.25,null,false],\"c\\\"\\\\\\u000a\":\"\\u0001 caf\xc3\xa9\","
	"\"d\":92233.72036854775807,\"e\":true,\"f\":[\"00:00\",\"24:00\",\"2000-01-01\"]}";

int
main(void)
{
	char buf[sizeof(text)];
	EbJson json;

	eb_json_init(&json, buf, sizeof(buf));
	write_some(&json);
	CHECK_INT(json.len, sizeof(text) - 1);
	CHECK(eb_json_fits(&json));
	CHECK_MEM(buf, text, sizeof(text) - 1);

	/* measured without memory */
	eb_json_init(&json, NULL, 0);
	write_some(&json);
	CHECK_INT(json.len, sizeof(text) - 1);
	CHECK(!eb_json_fits(&json));

	/* every smaller size: it is told, and no byte behind it is touched */
	for (size_t size = 0; size < sizeof(text) - 1; size++)
	{
		memset(buf, '#', sizeof(buf));
		eb_json_init(&json, buf, size);
		write_some(&json);
		if (json.len != sizeof(text) - 1 || eb_json_fits(&json) || buf[size] != '#')
			CHECK_INT(size, -1);
	}
	return check_done("json_write");
}
