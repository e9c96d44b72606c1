// A driver without a card, for cuDNN to plan with: what it compiles, it also "loads".

#define WITHOUT_A_CARD(name) \
  extern "C" int name() { return 100; }
#define LOADS(name)               \
  extern "C" int name(void** to) { \
    static int something;          \
    *to = &something;              \
    return 0;                      \
  }
#define DOES_NOTHING(name) \
  extern "C" int name() { return 0; }

LOADS(cuLibraryLoadData)
LOADS(cuLibraryGetKernel)
LOADS(cuKernelGetFunction)
DOES_NOTHING(cuLibraryUnload)
DOES_NOTHING(cuKernelGetAttribute)
DOES_NOTHING(cuKernelSetAttribute)
DOES_NOTHING(cuGetErrorName)
DOES_NOTHING(cuGetErrorString)
WITHOUT_A_CARD(cuInit)
WITHOUT_A_CARD(cuCtxGetCurrent)
WITHOUT_A_CARD(cuCtxGetLimit)
WITHOUT_A_CARD(cuCtxPopCurrent)
WITHOUT_A_CARD(cuCtxPushCurrent)
WITHOUT_A_CARD(cuDeviceGet)
WITHOUT_A_CARD(cuDeviceGetCount)
WITHOUT_A_CARD(cuDriverGetVersion)
WITHOUT_A_CARD(cuLaunchCooperativeKernel)
WITHOUT_A_CARD(cuLaunchKernel)
WITHOUT_A_CARD(cuLaunchKernelEx)
WITHOUT_A_CARD(cuLibraryLoadFromFile)
WITHOUT_A_CARD(cuLinkAddData)
WITHOUT_A_CARD(cuLinkComplete)
WITHOUT_A_CARD(cuLinkCreate)
WITHOUT_A_CARD(cuLinkDestroy)
WITHOUT_A_CARD(cuOccupancyMaxPotentialClusterSize)
WITHOUT_A_CARD(cuStreamGetCtx)
