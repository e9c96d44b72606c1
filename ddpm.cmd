@echo off
rem Runs the ddpm program on Windows; builds it first where that has not been done since the sources changed.
rem
rem DDPM_MEMORY      how large the process may grow (4g, or 512m for each processor if that is more)
rem DDPM_JAVA_OPTS   further options for java, for example -Xmx2g
rem JAVA_HOME        which Java to take, where set
rem
rem The file ddpm says why things are as they are; both take the same options.

setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul 2>&1
set "HERE=%~dp0"
set "HERE=%HERE:~0,-1%"
set "BUILD=%HERE%\ddpm-cli\target"
set "STAMP=%BUILD%\ddpm-launcher.list"
set "ARCHIVE=%BUILD%\ddpm-launcher.jsa"
set "CLASSES=%BUILD%\ddpm-cli.jar;%BUILD%\lib\*"
set "NOW=%TEMP%\ddpm4j-%RANDOM%-%RANDOM%"

set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java.exe"
if defined JAVA_HOME if not exist "%JAVA%" (
  call :fail "There is no %JAVA%; install Java 17 or newer, or set JAVA_HOME to it."
  exit /b 2
)
if not defined JAVA_HOME (
  where java >nul 2>&1
  if errorlevel 1 (
    call :fail "There is no java; install Java 17 or newer, or set JAVA_HOME to it."
    exit /b 2
  )
)

set "MEMORY=%DDPM_MEMORY%"
if not defined MEMORY set /a MEGABYTES=NUMBER_OF_PROCESSORS*512
if not defined MEMORY if %MEGABYTES% LSS 4096 set "MEGABYTES=4096"
if not defined MEMORY set "MEMORY=%MEGABYTES%m"
echo %MEMORY%| findstr /r /x "[0-9][0-9]*[kmgKMG] [0-9][0-9]*" >nul
if errorlevel 1 (
  call :fail "DDPM_MEMORY is %MEMORY%; give a size such as 8g."
  exit /b 2
)
if not defined OMP_WAIT_POLICY set "OMP_WAIT_POLICY=passive"

rem What ends in seconds is not worth the JVM's second compiler.
set "TUNING=-Xms32m -Xmx1g -XX:+UseSerialGC"
set "SHORT=yes"
for %%c in (train bench evaluate distances nearest lesson studio serve sample inpaint image-to-image interpolate invert samplers) do if /i "%~1"=="%%c" set "SHORT="
if defined SHORT set "TUNING=%TUNING% -XX:TieredStopAtLevel=1"

"%JAVA%" %TUNING% %DDPM_JAVA_OPTS% -XshowSettings:properties -version >"%NOW%.java" 2>&1
if errorlevel 1 (
  set "TUNING="
  "%JAVA%" %DDPM_JAVA_OPTS% -XshowSettings:properties -version >"%NOW%.java" 2>&1
)
if errorlevel 1 (
  type "%NOW%.java" >&2
  del "%NOW%.java" >nul 2>&1
  call :fail "%JAVA% does not start, for the reason above; correct DDPM_JAVA_OPTS, JDK_JAVA_OPTIONS and JAVA_TOOL_OPTIONS, or set JAVA_HOME to another Java of version 17 or newer."
  exit /b 2
)
set "VERSION=0"
for /f "usebackq tokens=2 delims==" %%v in (`findstr /c:"java.specification.version =" "%NOW%.java"`) do for /f "tokens=1 delims=. " %%w in ("%%v") do set "VERSION=%%w"
del "%NOW%.java" >nul 2>&1
if %VERSION% LSS 17 (
  call :fail "%JAVA% is version %VERSION%; install Java 17 or newer, or set JAVA_HOME to it."
  exit /b 2
)
if %VERSION% GEQ 24 set "TUNING=%TUNING% --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"

call :sources >"%NOW%.list"
if exist "%BUILD%\ddpm-cli.jar" if exist "%STAMP%" (
  fc /b "%NOW%.list" "%STAMP%" >nul 2>&1
  if not errorlevel 1 goto run
)
call :build
if errorlevel 1 exit /b 2

:run
del "%NOW%.list" >nul 2>&1
"%JAVA%" -XX:SharedArchiveFile="%ARCHIVE%" -Xlog:disable -Xlog:all=off %TUNING% -Djava.awt.headless=true ^
  -Dorg.bytedeco.javacpp.maxbytes=%MEMORY% -Dorg.bytedeco.javacpp.maxphysicalbytes=%MEMORY% ^
  -Dddpm.home="%HERE%" %DDPM_JAVA_OPTS% -cp "%CLASSES%" org.ddpm4j.cli.Main %*
exit /b %ERRORLEVEL%

rem Size, time and name of everything that the program is made of.
:sources
for %%f in ("%HERE%\pom.xml") do echo %%~zf %%~tf %%~f
for /d %%m in ("%HERE%\ddpm-*") do call :module "%%~m"
exit /b 0

:module
for %%f in ("%~1\pom.xml") do echo %%~zf %%~tf %%~f
if not exist "%~1\src\main" exit /b 0
for /r "%~1\src\main" %%f in (*) do echo %%~zf %%~tf %%~f
exit /b 0

:build
where mvn >nul 2>&1
if errorlevel 1 (
  call :fail "Building needs Maven; install it (mvn) and try again."
  exit /b 2
)
if not exist "%BUILD%" mkdir "%BUILD%" >nul 2>&1
rem Whoever ends the build in the middle leaves a program of which nobody knows what it was made of.
if exist "%STAMP%" del "%STAMP%" >nul 2>&1
echo Building ddpm4j (first use; takes a minute or two) ... >&2
pushd "%HERE%"
call mvn -q -B -DskipTests -Dmaven.source.skip -pl ddpm-cli -am package >"%NOW%.log" 2>&1
if errorlevel 1 (
  popd
  type "%NOW%.log" >&2
  del "%NOW%.log" "%NOW%.list" >nul 2>&1
  call :fail "The build failed; its log is above."
  exit /b 2
)
popd
del "%NOW%.log" >nul 2>&1
"%JAVA%" -Xint -XX:ArchiveClassesAtExit="%ARCHIVE%" -Xlog:disable -Xlog:all=off -Djava.awt.headless=true ^
  -Dddpm.home="%HERE%" -cp "%CLASSES%" org.ddpm4j.cli.Main ^
  sample --count 1 --steps 2 --output "%NOW%.png" >nul 2>&1
del "%NOW%.png" >nul 2>&1
copy /y "%NOW%.list" "%STAMP%" >nul
exit /b 0

:fail
echo ddpm: %~1 >&2
exit /b 2
