"""moto's S3 with the one refusal that it lacks, on a free port.

Prints its address, and ends when its input does. A part's checksum counts only in an upload that
was begun with its algorithm: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html
"""

import re
import sys

from moto.s3.exceptions import InvalidPart
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

answer_post = S3Response._key_response_post


def answer_post_strictly(self, request, body, bucket_name, query, key_name):
    uploads = self.backend.head_bucket(bucket_name).multiparts
    upload = uploads.get((query.get("uploadId") or [None])[0])
    if upload:
        algorithm = upload.metadata.get("x-amz-checksum-algorithm")
        named = re.findall(r"<Checksum([A-Z0-9]+)>", body.decode(errors="replace"))
        if any(one != algorithm for one in named):
            raise InvalidPart()
    return answer_post(self, request, body, bucket_name, query, key_name)


S3Response._key_response_post = answer_post_strictly
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
# moto finds a bucket in the path only below this name.
print("http://localhost:%d" % server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
