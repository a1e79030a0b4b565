from vall_e.data.stores.components import STORES
from vall_e.testing import contract_of

FOLDER, HDF5, WEBDATASET, ORIGINAL = STORES


class TestFolder(contract_of("store", FOLDER)):
    pass


class TestHdf5(contract_of("store", HDF5)):
    pass


class TestWebDataset(contract_of("store", WEBDATASET)):
    """Of shards so small that each holds few utterances."""

    def make(self):
        return WEBDATASET.build(WEBDATASET.config(shard_megabytes=0.01))


class TestEcker(contract_of("store", ORIGINAL)):
    pass
